using System.Collections.Immutable;

namespace Orchestrator.Restores;

public enum RestoreState
{
    /// <summary>Data is laid into new volumes; nothing of the stack is touched.</summary>
    Preparing,

    /// <summary>A deployment puts the new volumes in the place of the old ones.</summary>
    Swapping,

    /// <summary>Done; the old volumes are kept until <see cref="RestoreRecord.KeptUntil"/>.</summary>
    Done,
    Failed,

    /// <summary>The old volumes are in their place again.</summary>
    Undone,

    /// <summary>Done, and the old volumes are gone: it cannot be undone any more.</summary>
    Closed,
}

/// <summary>A restore of a stack's data, from its begin to the day when the old volumes go.</summary>
public sealed record RestoreRecord
{
    public long Id { get; init; }

    public required string Stack { get; init; }

    public required RestoreState State { get; init; }

    public required string Set { get; init; }

    /// <summary>For people: <c>the set</c>, a time, a recovery point.</summary>
    public required string Point { get; init; }

    public required string Origin { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    public DateTimeOffset? EndedAt { get; init; }

    /// <summary>Key of a volume → the new one on the engine.</summary>
    public ImmutableSortedDictionary<string, string> New { get; init; } = ImmutableSortedDictionary<string, string>.Empty;

    /// <summary>Key of a volume → the one that it replaced.</summary>
    public ImmutableSortedDictionary<string, string> Old { get; init; } = ImmutableSortedDictionary<string, string>.Empty;

    /// <summary>The deployment that exchanged the volumes.</summary>
    public long? Deployment { get; init; }

    /// <summary>The release that is brought back together with the data; null: the services stay.</summary>
    public int? Release { get; init; }

    /// <summary>The release that ran before it.</summary>
    public int FromRelease { get; init; }

    /// <summary>Until then the replaced volumes are kept; null: it was not done.</summary>
    public DateTimeOffset? KeptUntil { get; init; }

    public ImmutableArray<DrillCheck> Checks { get; init; } = [];

    public ImmutableSortedDictionary<string, double> Phases { get; init; } = ImmutableSortedDictionary<string, double>.Empty;

    public string? Problem { get; init; }

    public string? Hint { get; init; }

    public bool Ended => State is not (RestoreState.Preparing or RestoreState.Swapping);
}
