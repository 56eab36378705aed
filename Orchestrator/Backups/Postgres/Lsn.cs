using System.Globalization;

namespace Orchestrator.Backups.Postgres;

/// <summary>A position in the write-ahead log: the number of bytes written before it since the cluster was made.</summary>
public readonly record struct Lsn(ulong Value) : IComparable<Lsn>
{
    public static Lsn Zero => default;

    /// <summary>Reads what PostgreSQL writes, such as <c>0/1A2B3C4D</c>.</summary>
    public static bool TryParse(string? text, out Lsn lsn)
    {
        lsn = default;
        if (text?.Split('/') is not [var high, var low] || high.Length is 0 or > 8 || low.Length is 0 or > 8) return false;
        if (!uint.TryParse(high, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var upper)) return false;
        if (!uint.TryParse(low, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var lower)) return false;
        lsn = new(((ulong)upper << 32) | lower);
        return true;
    }

    /// <exception cref="FormatException">It is none.</exception>
    public static Lsn Parse(string text) => TryParse(text, out var lsn) ? lsn : throw new FormatException($"'{text}' is no position in a write-ahead log");

    /// <summary>The first position of the segment that this one lies in.</summary>
    public Lsn SegmentStart(long segmentSize) => new(Value & ~((ulong)segmentSize - 1));

    /// <summary>Sixteen hexadecimal digits, so that names sort as positions do.</summary>
    public string Sortable => Value.ToString("X16", CultureInfo.InvariantCulture);

    public int CompareTo(Lsn other) => Value.CompareTo(other.Value);

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Value >> 32:X}/{(uint)Value:X}");

    public static Lsn operator +(Lsn lsn, long bytes) => new(checked((ulong)((long)lsn.Value + bytes)));

    public static long operator -(Lsn left, Lsn right) => (long)(left.Value - right.Value);

    public static bool operator <(Lsn left, Lsn right) => left.Value < right.Value;

    public static bool operator >(Lsn left, Lsn right) => left.Value > right.Value;

    public static bool operator <=(Lsn left, Lsn right) => left.Value <= right.Value;

    public static bool operator >=(Lsn left, Lsn right) => left.Value >= right.Value;

    public static Lsn Max(Lsn left, Lsn right) => left > right ? left : right;

    public static Lsn Min(Lsn left, Lsn right) => left < right ? left : right;
}
