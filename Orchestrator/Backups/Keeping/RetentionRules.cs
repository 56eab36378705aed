using System.Collections.Immutable;

namespace Orchestrator.Backups.Keeping;

/// <summary>How many sets are kept. A set that no rule keeps is removed, unless something forbids it.</summary>
public sealed record RetentionRules
{
    /// <summary>The newest set of each of so many days that have one.</summary>
    public int Daily { get; init; } = 30;

    public int Weekly { get; init; }

    public int Monthly { get; init; }

    public int Yearly { get; init; }

    /// <summary>Every set that is not older than this; zero: none is kept for its age. Also how far back a continuous stream goes without a hole.</summary>
    public TimeSpan Within { get; init; }

    /// <summary>So many of the newest verified sets stay whatever else is said; at least 1.</summary>
    public int Verified { get; init; } = 3;

    /// <summary>Days, weeks, months and years are those of this zone.</summary>
    public TimeZoneInfo Zone { get; init; } = TimeZoneInfo.Utc;

    /// <param name="keep">As the Compose file says it: daily, weekly, monthly, yearly → how many. Empty, and nothing within: 30 daily.</param>
    public static RetentionRules Of(ImmutableSortedDictionary<string, int> keep, TimeSpan within, TimeZoneInfo zone) => keep.IsEmpty && within == TimeSpan.Zero
        ? new RetentionRules { Zone = zone }
        : new RetentionRules
        {
            Daily = keep.GetValueOrDefault("daily"),
            Weekly = keep.GetValueOrDefault("weekly"),
            Monthly = keep.GetValueOrDefault("monthly"),
            Yearly = keep.GetValueOrDefault("yearly"),
            Within = within,
            Zone = zone,
        };
}

/// <summary>A set as retention sees it.</summary>
/// <param name="CreatedAt">As its manifest says.</param>
/// <param name="Verified">It has been restored and checked.</param>
/// <param name="StreamFrom">Services for which it is a base of a stream → the key from which it needs it, <see cref="BackupFacts.StreamFrom"/>.</param>
/// <param name="Pinned">Null, or why it must stay: it is being restored, a deployment may go back to it.</param>
public sealed record RetentionSet(BackupSetId Id, DateTimeOffset CreatedAt, bool Verified, ImmutableSortedDictionary<string, string> StreamFrom, string? Pinned = null)
{
    public static RetentionSet Of(BackupManifest manifest, bool verified, string? pinned = null) => new(
        manifest.Id,
        manifest.CreatedAt,
        verified,
        manifest.Parts.Where(part => part.Facts.ContainsKey(BackupFacts.StreamFrom)).GroupBy(part => part.Service)
            .ToImmutableSortedDictionary(service => service.Key, service => service.First().Facts[BackupFacts.StreamFrom]),
        pinned);
}

/// <param name="Reasons">Why it stays, or why it goes.</param>
public sealed record RetentionDecision(BackupSetId Set, bool Kept, ImmutableArray<string> Reasons);

/// <summary>What is kept and what goes: for show, or to be carried out by <see cref="SetKeeper.RemoveAsync"/>.</summary>
/// <param name="Decisions">For every set, the newest first.</param>
/// <param name="StreamKeys">What goes of the streams.</param>
public sealed record RetentionPlan(ImmutableArray<RetentionDecision> Decisions, ImmutableArray<string> StreamKeys)
{
    /// <summary>Why nothing of it is carried out now; null: nothing stands in the way.</summary>
    public string? Blocked { get; init; }
}
