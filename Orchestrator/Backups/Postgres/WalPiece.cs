using System.Globalization;
using System.Text.RegularExpressions;

namespace Orchestrator.Backups.Postgres;

/// <summary>A stored piece of the log: the bytes from one position to another, of one timeline.</summary>
/// <param name="Key">Its key in the stores.</param>
/// <param name="End">The first position after it.</param>
/// <param name="Through">
/// The server's clock when the receiver had all that there was: every commit not later than this lies before <paramref name="End"/>. Null: it was not known.
/// </param>
public sealed partial record WalPiece(string Key, uint Timeline, Lsn Start, Lsn End, DateTimeOffset? Through)
{
    public long Bytes => End - Start;

    /// <summary>Below this, within the service's stream, lies all of a cluster's log, and its timelines' histories.</summary>
    public static string Directory(string systemIdentifier) => $"wal/{systemIdentifier}/";

    /// <summary>The beginning of the whole keys of all that.</summary>
    public static string Prefix(string stack, string service, string systemIdentifier) => $"{stack}/streams/{service}/{Directory(systemIdentifier)}";

    /// <summary>The name within the service's stream, without the endings of compression and encryption.</summary>
    public static string NameOf(string systemIdentifier, uint timeline, Lsn start, Lsn end, DateTimeOffset? through)
    {
        var clock = through is { } at ? at.UtcDateTime.ToString("'-'yyyyMMdd'T'HHmmss.fff'Z'", CultureInfo.InvariantCulture) : "";
        return string.Create(CultureInfo.InvariantCulture, $"{Directory(systemIdentifier)}{timeline:X8}/{start.Sortable}-{end.Sortable}{clock}");
    }

    /// <returns>Null: the key is not that of a piece.</returns>
    public static WalPiece? Parse(string key)
    {
        if (Pattern().Match(key) is not { Success: true } match) return null;

        static ulong Hex(Group group) => ulong.Parse(group.ValueSpan, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);
        DateTimeOffset? through = match.Groups[4].Success
            && DateTimeOffset.TryParseExact(match.Groups[4].ValueSpan, "yyyyMMdd'T'HHmmss.fff'Z'", CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var at)
                ? at
                : null;
        var piece = new WalPiece(key, (uint)Hex(match.Groups[1]), new(Hex(match.Groups[2])), new(Hex(match.Groups[3])), through);
        return piece.End > piece.Start ? piece : null;
    }

    [GeneratedRegex(@"/wal/\d+/([0-9A-F]{8})/([0-9A-F]{16})-([0-9A-F]{16})(?:-(\d{8}T\d{6}\.\d{3}Z))?(?:\.[a-z].*)?$")]
    private static partial Regex Pattern();
}
