using System.Buffers.Binary;

namespace Orchestrator.Backups.Redis.Rdb;

/// <summary>CRC-64 as Redis computes it over its files (the "Jones" polynomial, reflected, no initial value), eight bytes at a step.</summary>
internal static class RdbChecksum
{
    private const ulong Polynomial = 0x95AC9329AC4BC9B5;        // 0xAD93D23594C935A9 with its bits reversed

    private static readonly ulong[][] Tables = Make();

    public static ulong Append(ulong crc, ReadOnlySpan<byte> bytes)
    {
        while (bytes.Length >= 8)
        {
            crc ^= BinaryPrimitives.ReadUInt64LittleEndian(bytes);
            crc = Tables[7][(byte)crc] ^ Tables[6][(byte)(crc >> 8)] ^ Tables[5][(byte)(crc >> 16)] ^ Tables[4][(byte)(crc >> 24)]
                ^ Tables[3][(byte)(crc >> 32)] ^ Tables[2][(byte)(crc >> 40)] ^ Tables[1][(byte)(crc >> 48)] ^ Tables[0][(byte)(crc >> 56)];
            bytes = bytes[8..];
        }

        foreach (var item in bytes) crc = Tables[0][(byte)(crc ^ item)] ^ (crc >> 8);
        return crc;
    }

    private static ulong[][] Make()
    {
        var tables = new ulong[8][];
        for (var slice = 0; slice < 8; slice++) tables[slice] = new ulong[256];
        for (var value = 0; value < 256; value++)
        {
            var crc = (ulong)value;
            for (var bit = 0; bit < 8; bit++) crc = (crc & 1) == 0 ? crc >> 1 : (crc >> 1) ^ Polynomial;
            tables[0][value] = crc;
        }

        for (var slice = 1; slice < 8; slice++)
        {
            for (var value = 0; value < 256; value++)
            {
                var before = tables[slice - 1][value];
                tables[slice][value] = tables[0][(byte)before] ^ (before >> 8);
            }
        }

        return tables;
    }
}
