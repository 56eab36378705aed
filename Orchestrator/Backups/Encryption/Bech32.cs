using System.Diagnostics.CodeAnalysis;

namespace Orchestrator.Backups.Encryption;

/// <summary>Bytes as text with a checksum (BIP 173), without its limit of 90 characters, as the age format uses it.</summary>
internal static class Bech32
{
    private const string Characters = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";
    private const int ChecksumLength = 6;

    private static readonly uint[] Generators = [0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3];

    /// <param name="prefix">The human-readable part, lower case.</param>
    public static string Encode(string prefix, ReadOnlySpan<byte> data)
    {
        Regroup(data, 8, 5, pad: true, out var values);
        var check = Checksum(prefix, [.. values, 0, 0, 0, 0, 0, 0]) ^ 1;
        for (var index = 0; index < ChecksumLength; index++) values.Add((byte)((check >> (5 * (5 - index))) & 31));
        return $"{prefix}1{string.Concat(values.Select(value => Characters[value]))}";
    }

    /// <returns>False when it has another prefix, a foreign character, mixed case or a wrong checksum.</returns>
    public static bool TryDecode(string text, string prefix, [NotNullWhen(true)] out byte[]? data)
    {
        data = null;
        var lower = text.ToLowerInvariant();
        if (text.Any(char.IsAsciiLetterLower) && text.Any(char.IsAsciiLetterUpper)) return false;
        if (!lower.StartsWith($"{prefix}1", StringComparison.Ordinal) || lower.Length < prefix.Length + 1 + ChecksumLength) return false;

        var values = new List<byte>();
        foreach (var character in lower.AsSpan(prefix.Length + 1))
        {
            var value = Characters.IndexOf(character, StringComparison.Ordinal);
            if (value < 0) return false;

            values.Add((byte)value);
        }

        if (Checksum(prefix, values) != 1 || !Regroup([.. values.SkipLast(ChecksumLength)], 5, 8, pad: false, out var bytes)) return false;

        data = [.. bytes];
        return true;
    }

    private static bool Regroup(ReadOnlySpan<byte> data, int from, int to, bool pad, out List<byte> result)
    {
        result = new List<byte>((data.Length * from / to) + 1 + ChecksumLength);
        var (accumulator, bits) = (0, 0);
        foreach (var value in data)
        {
            accumulator = ((accumulator << from) | value) & 0xffffff;
            bits += from;
            while (bits >= to)
            {
                bits -= to;
                result.Add((byte)((accumulator >> bits) & ((1 << to) - 1)));
            }
        }

        var rest = (accumulator << (to - bits)) & ((1 << to) - 1);
        if (pad && bits > 0) result.Add((byte)rest);
        return pad || (bits < from && rest == 0);
    }

    private static uint Checksum(string prefix, List<byte> values)
    {
        var sum = 1u;
        foreach (var character in prefix) Step(ref sum, character >> 5);
        Step(ref sum, 0);
        foreach (var character in prefix) Step(ref sum, character & 31);
        foreach (var value in values) Step(ref sum, value);
        return sum;
    }

    private static void Step(ref uint sum, int value)
    {
        var top = sum >> 25;
        sum = ((sum & 0x1ffffff) << 5) ^ (uint)value;
        for (var bit = 0; bit < Generators.Length; bit++)
        {
            if (((top >> bit) & 1) != 0) sum ^= Generators[bit];
        }
    }
}
