using System.Collections.Immutable;

namespace Orchestrator.Agent.Api.Contracts;

/// <summary>What a restore would change, before it does.</summary>
public sealed record RestorePreviewResponse
{
    public required string Stack { get; init; }

    /// <summary>The set that it begins with.</summary>
    public required string Set { get; init; }

    /// <summary>The moment that it goes to, for people.</summary>
    public required string Point { get; init; }

    /// <summary>When the set was taken. What is compared is this moment with now.</summary>
    public required DateTimeOffset TakenAt { get; init; }

    /// <summary>A drill has restored the set and found it to be what it was.</summary>
    public required bool Proved { get; init; }

    public ImmutableArray<ServicePreviewResponse> Services { get; init; } = [];

    /// <summary>Key → the volume that would be replaced, and is kept for the undo.</summary>
    public ImmutableSortedDictionary<string, string> Volumes { get; init; } = ImmutableSortedDictionary<string, string>.Empty;

    /// <summary>The release that is brought back together with the data; null: the services stay as they are.</summary>
    public int? Release { get; init; }

    public long Bytes { get; init; }

    /// <summary>Seconds that the last drill took; null: there was none.</summary>
    public double? ForecastSeconds { get; init; }

    public ImmutableArray<string> Notes { get; init; } = [];
}

/// <param name="Problem">Why the present state cannot be read; null: it was.</param>
public sealed record ServicePreviewResponse(string Service, string Kind, ImmutableArray<ContentChangeResponse> Changes, string? Problem);

/// <param name="What">A table, a database of Redis, a volume.</param>
/// <param name="Now">Rows, keys or files now; null: it is not there, or cannot be counted.</param>
/// <param name="Then">The same in the set.</param>
/// <param name="Difference">What the restore brings back (above zero) or takes away; null: as many, with other content.</param>
public sealed record ContentChangeResponse(string What, long? Now, long? Then, long? Difference);

/// <summary>A restore of a stack's data.</summary>
public sealed record RestoreResponse
{
    public required long Id { get; init; }

    public required string Stack { get; init; }

    /// <summary>preparing, swapping, done, failed, undone, or closed: the replaced volumes are gone.</summary>
    public required string State { get; init; }

    public required string Set { get; init; }

    public required string Point { get; init; }

    public required string Origin { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    public DateTimeOffset? EndedAt { get; init; }

    /// <summary>The deployment that exchanged the volumes.</summary>
    public long? Deployment { get; init; }

    public int? Release { get; init; }

    /// <summary>Until then it can be undone.</summary>
    public DateTimeOffset? KeptUntil { get; init; }

    public ImmutableArray<CheckResponse> Checks { get; init; } = [];

    /// <summary>Seconds by phase.</summary>
    public ImmutableSortedDictionary<string, double> Phases { get; init; } = ImmutableSortedDictionary<string, double>.Empty;

    public string? Problem { get; init; }

    public string? Hint { get; init; }
}

public sealed record CheckResponse(string Service, string What, bool Passed, string Detail);

/// <summary>What was proved of a set; chained by hash to the drill before it.</summary>
public sealed record DrillResponse
{
    public required long Number { get; init; }

    public required string Stack { get; init; }

    public required string Set { get; init; }

    public required DateTimeOffset StartedAt { get; init; }

    public required DateTimeOffset EndedAt { get; init; }

    public required bool Passed { get; init; }

    public ImmutableArray<CheckResponse> Checks { get; init; } = [];

    /// <summary>Seconds by phase; <c>total</c> is from nothing to an application that answers.</summary>
    public ImmutableSortedDictionary<string, double> Phases { get; init; } = ImmutableSortedDictionary<string, double>.Empty;

    public string? Problem { get; init; }

    public string? Hint { get; init; }
}

/// <summary>Brings stacks up on a machine that knows nothing of them, from the stores of its settings.</summary>
public sealed record RecoverRequest
{
    /// <summary>Null: every stack that the stores have sets of.</summary>
    public string? Stack { get; init; }

    /// <summary>The name of the only store that is read; null: all of the settings.</summary>
    public string? From { get; init; }

    /// <summary>A time, a set, or <c>latest</c>, which null means too.</summary>
    public string? To { get; init; }

    /// <summary>Content of an age identity file: the private key. Kept in memory only, and written down nowhere.</summary>
    public required string Identity { get; init; }
}

/// <summary>Brings a stack's data back. Either a moment, or the last deployment undone together with its data.</summary>
public sealed record RestoreRequest
{
    /// <summary>A time, a set, <c>latest</c>, or <c>before-deployment:ID</c>.</summary>
    public string? To { get; init; }

    /// <summary>The release before the current one, and the data as it was before the deployment that brought the current one.</summary>
    public bool LastDeployment { get; init; }
}
