using System.Globalization;

namespace Orchestrator.Backups.Postgres;

/// <summary>How PostgreSQL calls the files of its write-ahead log.</summary>
internal static class WalNames
{
    /// <summary>The segment that holds <paramref name="lsn"/>: timeline, then the segment's number in two parts.</summary>
    public static string Segment(uint timeline, Lsn lsn, long segmentSize)
    {
        var number = lsn.Value / (ulong)segmentSize;
        var perId = 0x1_0000_0000UL / (ulong)segmentSize;
        return string.Create(CultureInfo.InvariantCulture, $"{timeline:X8}{number / perId:X8}{number % perId:X8}");
    }

    public static string History(uint timeline) => string.Create(CultureInfo.InvariantCulture, $"{timeline:X8}.history");
}
