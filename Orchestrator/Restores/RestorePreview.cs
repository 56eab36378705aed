using System.Collections.Immutable;

namespace Orchestrator.Restores;

/// <summary>What a restore would change, before it does.</summary>
public sealed record RestorePreview
{
    public required string Stack { get; init; }

    public required string Set { get; init; }

    /// <summary>The moment that it goes to, for people.</summary>
    public required string Point { get; init; }

    /// <summary>When the set was taken, UTC. What is below compares this moment with now; a later moment is reached by replaying what was received since.</summary>
    public required DateTimeOffset TakenAt { get; init; }

    /// <summary>The set was restored by a drill and found to be what it was.</summary>
    public required bool Proved { get; init; }

    public required ImmutableArray<ServicePreview> Services { get; init; }

    /// <summary>Key → the volume that would be replaced; it is kept for the undo.</summary>
    public required ImmutableSortedDictionary<string, string> Volumes { get; init; }

    /// <summary>The release that is brought back together with the data; null: the services stay as they are.</summary>
    public int? Release { get; init; }

    /// <summary>Bytes to be fetched.</summary>
    public long Bytes { get; init; }

    /// <summary>Seconds that the last drills took for it; null: there was none.</summary>
    public double? ForecastSeconds { get; init; }

    public ImmutableArray<string> Notes { get; init; } = [];
}

/// <param name="Kind">postgres, redis or volume.</param>
/// <param name="Changes">What differs between now and the set.</param>
/// <param name="Problem">Why the present state cannot be read; null: it was.</param>
public sealed record ServicePreview(string Service, string Kind, ImmutableArray<ContentChange> Changes, string? Problem);

/// <param name="What">A table, a database of Redis, a volume.</param>
/// <param name="Now">Rows, keys or files now; null: it is not there, or cannot be counted.</param>
/// <param name="Then">The same in the set.</param>
public sealed record ContentChange(string What, long? Now, long? Then)
{
    /// <summary>Rows, keys or files that the restore brings back (above zero) or takes away (below); null: other content, as many.</summary>
    public long? Difference => Now is { } now && Then is { } then && now != then ? then - now : Now is null ? Then : Then is null ? -Now : null;
}
