using System.Collections.Immutable;
using System.Globalization;
using System.Text;

namespace Orchestrator.Backups.Volumes;

/// <summary>
/// One entry of a volume's index: a line of fields between tabs, which a shell can read. Bytes that are no plain letters stand as <c>\0ooo</c>, which
/// <c>printf %b</c> turns back.
/// </summary>
internal sealed record IndexLine
{
    /// <summary>f file, d directory, l symbolic link, h another name of an earlier file.</summary>
    public required char Kind { get; init; }

    /// <summary>Relative to the volume, without a leading or trailing slash; the volume itself is empty.</summary>
    public required byte[] Path { get; init; }

    public uint Mode { get; init; }

    public uint Uid { get; init; }

    public uint Gid { get; init; }

    public FileTime Modified { get; init; }

    public long Size { get; init; }

    /// <summary>SHA-256 of the content, lower-case hexadecimal; empty for what has none.</summary>
    public string Hash { get; init; } = "";

    /// <summary>Number of the pack that has the content, and the name it has there; -1: there is no content.</summary>
    public int Pack { get; init; } = -1;

    public int Member { get; init; }

    /// <summary>Of a link: where it leads; of another name: the path of the first.</summary>
    public byte[] Target { get; init; } = [];

    public ImmutableSortedDictionary<string, byte[]> Attributes { get; init; } = ImmutableSortedDictionary<string, byte[]>.Empty;

    /// <summary>What tells whether the file was touched since.</summary>
    public ulong Inode { get; init; }

    public FileTime Changed { get; init; }

    public string Write() => string.Create(
        CultureInfo.InvariantCulture,
        $"{Kind}\t{Octal(Mode)}\t{Uid}\t{Gid}\t{Written(Modified)}\t{Size}\t{Or(Hash)}\t{Pack}/{Member}\t{Or(Escape(Path))}\t{Or(Escape(Target))}\t{Or(Written(Attributes))}\t{Inode}\t{Written(Changed)}");

    /// <exception cref="FormatException">It is no such line.</exception>
    public static IndexLine Read(string line)
    {
        var fields = line.Split('\t');
        if (fields.Length < 13 || fields[0].Length != 1) throw new FormatException($"'{line[..Math.Min(line.Length, 80)]}' is no line of a volume's index");

        var place = fields[7].Split('/');
        return new IndexLine
        {
            Kind = fields[0][0],
            Mode = Convert.ToUInt32(fields[1], 8),
            Uid = uint.Parse(fields[2], CultureInfo.InvariantCulture),
            Gid = uint.Parse(fields[3], CultureInfo.InvariantCulture),
            Modified = Time(fields[4]),
            Size = long.Parse(fields[5], CultureInfo.InvariantCulture),
            Hash = Plain(fields[6]),
            Pack = int.Parse(place[0], CultureInfo.InvariantCulture),
            Member = int.Parse(place[1], CultureInfo.InvariantCulture),
            Path = Unescape(Plain(fields[8])),
            Target = Unescape(Plain(fields[9])),
            Attributes = AttributesOf(Plain(fields[10])),
            Inode = ulong.Parse(fields[11], CultureInfo.InvariantCulture),
            Changed = Time(fields[12]),
        };
    }

    /// <summary>The order of a walk: a directory before what is in it, and that before its neighbours.</summary>
    public static int Compare(ReadOnlySpan<byte> left, ReadOnlySpan<byte> right)
    {
        var common = left.CommonPrefixLength(right);
        if (common == left.Length || common == right.Length) return left.Length - right.Length;
        var (a, b) = (left[common], right[common]);
        return (a == '/' ? 0 : a) - (b == '/' ? 0 : b);
    }

    public static string Escape(ReadOnlySpan<byte> bytes)
    {
        var text = new StringBuilder(bytes.Length);
        foreach (var item in bytes)
        {
            if (item is > 0x20 and < 0x7F and not (byte)'\\') text.Append((char)item);
            else text.Append("\\0").Append(Convert.ToString(item, 8).PadLeft(3, '0'));
        }

        return text.ToString();
    }

    /// <summary>An empty field would be lost to a shell.</summary>
    private static string Or(string text) => text switch { "" => "-", "-" => "\\0055", _ => text };

    private static string Plain(string text) => text == "-" ? "" : text;

    private static byte[] Unescape(string text)
    {
        var bytes = new List<byte>(text.Length);
        for (var at = 0; at < text.Length; at++)
        {
            if (text[at] != '\\')
            {
                bytes.Add((byte)text[at]);
                continue;
            }

            bytes.Add(Convert.ToByte(text.Substring(at + 2, 3), 8));
            at += 4;
        }

        return [.. bytes];
    }

    private static string Octal(uint mode) => Convert.ToString(mode, 8).PadLeft(4, '0');

    private static string Written(FileTime time) => string.Create(CultureInfo.InvariantCulture, $"{time.Seconds}.{time.Nanoseconds:000000000}");

    private static FileTime Time(string text)
    {
        var parts = text.Split('.');
        return new(long.Parse(parts[0], CultureInfo.InvariantCulture), uint.Parse(parts[1], CultureInfo.InvariantCulture));
    }

    private static string Written(ImmutableSortedDictionary<string, byte[]> attributes) =>
        string.Join(',', attributes.Select(attribute => $"{NameOf(attribute.Key)}:{Convert.ToBase64String(attribute.Value)}"));

    private static string NameOf(string attribute) =>
        Escape(Encoding.UTF8.GetBytes(attribute)).Replace(",", "\\0054", StringComparison.Ordinal).Replace(":", "\\0072", StringComparison.Ordinal);

    private static ImmutableSortedDictionary<string, byte[]> AttributesOf(string text) => text.Length == 0
        ? ImmutableSortedDictionary<string, byte[]>.Empty
        : text.Split(',').Select(item => item.Split(':')).ToImmutableSortedDictionary(
            item => Encoding.UTF8.GetString(Unescape(item[0])), item => Convert.FromBase64String(item[1]), StringComparer.Ordinal);
}
