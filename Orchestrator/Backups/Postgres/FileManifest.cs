using System.Buffers;
using System.Globalization;
using System.Numerics;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;

namespace Orchestrator.Backups.Postgres;

/// <summary>
/// The list of a base's files with their sizes and checksums, as <c>pg_verifybackup</c> reads it, made of the archive while it passes: where the server
/// compresses, <c>pg_basebackup</c> cannot put the server's own list into it. The form is PostgreSQL's (Backup Manifest Format, version 1, which all versions
/// from 13 on read). Holds some 150 bytes for each file, in memory.
/// </summary>
internal sealed class FileManifest
{
    public const string Name = "backup_manifest";

    /// <summary>What the server's own list leaves out as well.</summary>
    private const string Log = "pg_wal/";

    private readonly ArrayBufferWriter<byte> _text = new(64 * 1024);
    private string? _entry;
    private uint _crc;
    private bool _any;

    public FileManifest() => Append("{ \"PostgreSQL-Backup-Manifest-Version\": 1,\n\"Files\": [");

    /// <param name="path">Relative to the data directory.</param>
    /// <param name="size">Bytes; as many are given to <see cref="Add"/> before the next file.</param>
    public void Begin(ReadOnlySpan<byte> path, long size, DateTimeOffset modified)
    {
        if (path.StartsWith("./"u8)) path = path[2..];
        var name = Encoding.Latin1.GetString(path);
        if (name.StartsWith(Log, StringComparison.Ordinal)) return;

        // Whatever is not plain goes by its bytes, as names that are no UTF-8 have to.
        var named = name.All(letter => char.IsAsciiLetterOrDigit(letter) || letter is '.' or '_' or '-' or '/') ? $"\"Path\": \"{name}\"" : $"\"Encoded-Path\": \"{Convert.ToHexStringLower(path)}\"";
        _entry = string.Create(CultureInfo.InvariantCulture, $"{{ {named}, \"Size\": {size}, \"Last-Modified\": \"{modified.UtcDateTime:yyyy-MM-dd HH:mm:ss} GMT\"");
        _crc = uint.MaxValue;
    }

    public void Add(ReadOnlySpan<byte> content)
    {
        if (_entry is null) return;

        var words = MemoryMarshal.Cast<byte, ulong>(content);
        var crc = _crc;
        foreach (var word in words) crc = BitOperations.Crc32C(crc, word);
        foreach (var rest in content[(words.Length * sizeof(ulong))..]) crc = BitOperations.Crc32C(crc, rest);
        _crc = crc;
    }

    public void End()
    {
        if (_entry is null) return;

        // The server writes the checksum as its bytes lie in memory.
        var checksum = Convert.ToHexStringLower(BitConverter.GetBytes(~_crc));
        Append($"{(_any ? ",\n" : "\n")}{_entry}, \"Checksum-Algorithm\": \"CRC32C\", \"Checksum\": \"{checksum}\" }}");
        (_entry, _any) = (null, true);
    }

    /// <summary>Writes the whole list. It names no range of the log: which one is needed is among the set's facts.</summary>
    public async Task WriteAsync(Stream output, CancellationToken cancellationToken)
    {
        Append("\n],\n\"WAL-Ranges\": [\n],\n");
        var hash = Convert.ToHexStringLower(SHA256.HashData(_text.WrittenSpan));
        Append($"\"Manifest-Checksum\": \"{hash}\"}}\n");
        await output.WriteAsync(_text.WrittenMemory, cancellationToken);
    }

    private void Append(string ascii) => _text.Write(Encoding.ASCII.GetBytes(ascii));
}
