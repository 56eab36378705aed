using System.Globalization;
using System.Text;

namespace Orchestrator.Backups.Postgres;

/// <summary>
/// Follows a tar as it passes by, without holding it: whether it is whole, and the few small files that say where it stands.
/// Reads the ustar form that PostgreSQL writes (POSIX.1-1988), with base-256 sizes.
/// </summary>
/// <param name="list">Is told of every file; null: the archive has a list of its own.</param>
internal sealed class TarWatch(FileManifest? list = null)
{
    private const int Block = 512;
    private const int Kept = 16 * 1024;

    /// <summary>Second of the year 9999, after which there is no time here.</summary>
    private const long Latest = 253_402_300_799;

    private readonly byte[] _header = new byte[Block];
    private readonly Dictionary<string, byte[]> _kept = [];
    private int _headerFill;
    private long _content;
    private long _padding;
    private byte[]? _tail;
    private int _zeroBlocks;

    /// <summary>Two empty blocks ended it, and nothing but zeros came after.</summary>
    public bool Ended => _zeroBlocks >= 2 && _headerFill == 0;

    public int Files { get; private set; }

    /// <summary>Of the archive, so far.</summary>
    public long Bytes { get; private set; }

    public bool Has(string name) => _kept.ContainsKey(name);

    /// <summary>The last 16 KiB of a watched file; null when it did not pass.</summary>
    public string? Find(string name) => _kept.TryGetValue(name, out var tail) ? Encoding.UTF8.GetString(tail) : null;

    /// <exception cref="InvalidDataException">It is no tar.</exception>
    public void Feed(ReadOnlySpan<byte> passing)
    {
        Bytes += passing.Length;
        while (!passing.IsEmpty)
        {
            if (_content > 0) passing = passing[Content(passing)..];
            else if (_padding > 0)
            {
                var skipped = (int)Math.Min(_padding, passing.Length);
                _padding -= skipped;
                passing = passing[skipped..];
            }
            else
            {
                var taken = Math.Min(Block - _headerFill, passing.Length);
                passing[..taken].CopyTo(_header.AsSpan(_headerFill));
                _headerFill += taken;
                passing = passing[taken..];
                if (_headerFill == Block) Header();
            }
        }
    }

    private int Content(ReadOnlySpan<byte> passing)
    {
        var taken = (int)Math.Min(_content, passing.Length);
        _content -= taken;
        list?.Add(passing[..taken]);
        if (_content == 0) list?.End();
        if (_tail is not null && _content < Kept)
        {
            // What of this piece lies within the last 16 KiB of the file.
            var part = passing[..taken];
            if (_content + taken > Kept) part = part[(int)(_content + taken - Kept)..];
            part.CopyTo(_tail.AsSpan(_tail.Length - (int)_content - part.Length));
        }

        return taken;
    }

    private void Header()
    {
        _headerFill = 0;
        if (_header.AsSpan().IndexOfAnyExcept((byte)0) < 0)
        {
            _zeroBlocks++;
            return;
        }

        if (_zeroBlocks > 0) throw new InvalidDataException("the archive goes on after its end");
        if (!_header.AsSpan(257, 5).SequenceEqual("ustar"u8)) throw new InvalidDataException("what was written is no tar archive");

        Files++;
        var name = Text(_header.AsSpan(0, 100));
        _content = Number(_header.AsSpan(124, 12));
        if (list is not null && _header[156] is 0 or (byte)'0') List(list);
        _padding = (Block - _content % Block) % Block;
        _tail = null;
        if (name is "backup_label" or FileManifest.Name or "PG_VERSION" or "tablespace_map") _kept[name] = _tail = new byte[Math.Min(_content, Kept)];
    }

    private void List(FileManifest files)
    {
        files.Begin(Field(_header.AsSpan(0, 100)), _content, DateTimeOffset.FromUnixTimeSeconds(Math.Clamp(Number(_header.AsSpan(136, 12)), 0, Latest)));
        if (_content == 0) files.End();
    }

    private static ReadOnlySpan<byte> Field(ReadOnlySpan<byte> field)
    {
        var end = field.IndexOf((byte)0);
        return end < 0 ? field : field[..end];
    }

    private static string Text(ReadOnlySpan<byte> field)
    {
        var name = Encoding.UTF8.GetString(Field(field));
        return name.StartsWith("./", StringComparison.Ordinal) ? name[2..] : name;
    }

    private static long Number(ReadOnlySpan<byte> field)
    {
        if ((field[0] & 0x80) == 0)
        {
            var digits = Encoding.ASCII.GetString(field).Trim(' ', '\0');
            return digits.Length == 0 ? 0 : digits.Aggregate(0L, (value, digit) => digit is >= '0' and <= '7'
                ? checked(value * 8 + (digit - '0'))
                : throw new InvalidDataException(string.Create(CultureInfo.InvariantCulture, $"a size in the archive is no number: {digits}")));
        }

        long number = 0;
        foreach (var digit in field[1..]) number = checked((number << 8) | digit);
        return number;
    }
}
