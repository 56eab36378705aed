using System.Collections.Immutable;

namespace Orchestrator.Agent.Api.Contracts;

/// <summary>A set: everything of a stack that is backed up, as of one recovery point.</summary>
public sealed record BackupResponse
{
    /// <summary>Its name among the sets of all stacks: STACK.SET.</summary>
    public required string Id { get; init; }

    public required string Stack { get; init; }

    /// <summary>Its name within the stack; it sorts in the order of the sets.</summary>
    public required string Set { get; init; }

    /// <summary>Counts up within the stack.</summary>
    public required long Number { get; init; }

    /// <summary>running, succeeded, failed or deleted.</summary>
    public required string State { get; init; }

    /// <summary>schedule, manual, before-deployment:ID, stream or gap.</summary>
    public required string Reason { get; init; }

    public required DateTimeOffset StartedAt { get; init; }

    public DateTimeOffset? EndedAt { get; init; }

    /// <summary>The moment of the recovery point; null: there is none.</summary>
    public DateTimeOffset? TakenAt { get; init; }

    /// <summary>The release that ran.</summary>
    public int? Release { get; init; }

    /// <summary>Bytes in one store, compressed and encrypted.</summary>
    public long Bytes { get; init; }

    /// <summary>Store → <c>whole</c>, or what is wrong with the set there.</summary>
    public ImmutableSortedDictionary<string, string> Stores { get; init; } = ImmutableSortedDictionary<string, string>.Empty;

    /// <summary>When a drill last restored it and found it to be what it was; null: never.</summary>
    public DateTimeOffset? ProvedAt { get; init; }

    /// <summary>True: a logical dump, from which a stack is not brought back.</summary>
    public bool Dump { get; init; }

    public ImmutableArray<BackupPartResponse> Parts { get; init; } = [];

    public string? Problem { get; init; }

    public string? Hint { get; init; }
}

/// <param name="Kind">postgres, postgres-dump, redis, volume or configuration.</param>
/// <param name="Bytes">Of its content.</param>
/// <param name="Counted">Tables, databases or volumes → rows, keys or files, where they were counted.</param>
/// <param name="Facts">Where it was taken: positions, versions, what could not be compared.</param>
public sealed record BackupPartResponse(
    string Service, string Kind, long Bytes, int Objects, ImmutableSortedDictionary<string, long> Counted, ImmutableSortedDictionary<string, string> Facts);

/// <summary>The state of a stack's backups.</summary>
public sealed record BackupsResponse
{
    public required string Stack { get; init; }

    /// <summary>Newest first.</summary>
    public ImmutableArray<BackupResponse> Sets { get; init; } = [];

    /// <summary>backup, drill, dump → when it is due next.</summary>
    public ImmutableSortedDictionary<string, DateTimeOffset> Next { get; init; } = ImmutableSortedDictionary<string, DateTimeOffset>.Empty;

    /// <summary>What became of the latest due runs, newest first.</summary>
    public ImmutableArray<ScheduledRunResponse> Runs { get; init; } = [];

    /// <summary>The latest drills, newest first.</summary>
    public ImmutableArray<DrillResponse> Drills { get; init; } = [];

    /// <summary>The latest restores, newest first.</summary>
    public ImmutableArray<RestoreResponse> Restores { get; init; } = [];

    /// <summary>What is received continuously, and how far behind it is.</summary>
    public ImmutableArray<StreamResponse> Streams { get; init; } = [];

    /// <summary>What is wrong with the keys, so that the sets could not be read one day; null: nothing.</summary>
    public string? Warning { get; init; }

    /// <summary>What goes on now, or has just ended.</summary>
    public ImmutableArray<OperationResponse> Operations { get; init; } = [];
}

/// <summary>How a continuous stream stands: what a loss now would cost.</summary>
/// <param name="Kind">postgres or redis.</param>
/// <param name="Streaming">It is received now.</param>
/// <param name="LocalSeconds">For how long this host has lacked something; 0: it has all.</param>
/// <param name="LocalBytes">What only the service has.</param>
/// <param name="OffHostSeconds">For how long the stores have lacked something.</param>
/// <param name="OffHostBytes">What would be lost with this host.</param>
/// <param name="Problems">What is wrong, each with what to do.</param>
public sealed record StreamResponse(
    string Service, string Kind, bool Streaming, double LocalSeconds, long LocalBytes, double OffHostSeconds, long OffHostBytes, ImmutableArray<string> Problems);

/// <param name="Work">backup, drill or dump.</param>
/// <param name="Outcome">running, success, failure or skipped.</param>
public sealed record ScheduledRunResponse(string Work, DateTimeOffset DueAt, string Outcome, string? Detail, DateTimeOffset At);
