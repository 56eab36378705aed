using System.Collections.Immutable;
using System.Globalization;
using Orchestrator.Backups;

namespace Orchestrator.Restores;

/// <summary>One thing (a table, a database of Redis, a volume) in two states.</summary>
/// <param name="What">As the fingerprints name it.</param>
/// <param name="Before">Its fingerprint in the first; null: it is not there.</param>
public sealed record FingerprintDifference(string What, string? Before, string? After)
{
    /// <summary>What stands before the first colon of a fingerprint: rows, keys, files. Null where it is no number.</summary>
    public static long? CountIn(string? fingerprint) =>
        long.TryParse(fingerprint?.Split(':')[0], NumberStyles.None, CultureInfo.InvariantCulture, out var count) ? count : null;

    /// <summary>Pure: what differs, by name. Nothing: both are the same, to the last row.</summary>
    public static ImmutableArray<FingerprintDifference> Between(ImmutableSortedDictionary<string, string> before, ImmutableSortedDictionary<string, string> after) =>
    [
        .. from name in before.Keys.Union(after.Keys).Order(StringComparer.Ordinal)
           let old = before.GetValueOrDefault(name)
           let now = after.GetValueOrDefault(name)
           where old != now
           select new FingerprintDifference(name, old, now),
    ];

    /// <summary>What a restored copy lacks or has differently, against the backup. What could not be held still at the backup is not compared.</summary>
    public static ImmutableArray<FingerprintDifference> Against(BackupPart part, ImmutableSortedDictionary<string, string> restored)
    {
        var compared = restored.Where(pair => part.Fingerprints.ContainsKey(pair.Key) || !part.Facts.ContainsKey($"not_compared {pair.Key}"));
        return Between(part.Fingerprints, compared.ToImmutableSortedDictionary());
    }

    public override string ToString() => (Before, After) switch
    {
        ({ } before, null) => $"{What}: had {before}, and is missing",
        (null, { } after) => $"{What}: was not in the backup, and has {after}",
        _ => $"{What}: had {Before}, has {After}",
    };
}
