using System.Globalization;
using System.Text.RegularExpressions;

namespace Orchestrator.Backups.Postgres;

/// <summary>A timeline's history in the stores.</summary>
internal static partial class HistoryObject
{
    public static string NameOf(string systemIdentifier, uint timeline) => WalPiece.Directory(systemIdentifier) + WalNames.History(timeline);

    public static uint? TimelineOf(string key) => Pattern().Match(key) is { Success: true } match
        ? uint.Parse(match.Groups[1].ValueSpan, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture)
        : null;

    [GeneratedRegex(@"/wal/\d+/([0-9A-F]{8})\.history(?:\.[a-z].*)?$")]
    private static partial Regex Pattern();
}
