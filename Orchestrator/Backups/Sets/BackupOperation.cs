namespace Orchestrator.Backups.Sets;

public enum OperationState
{
    /// <summary>Something else is being done with the stack's data.</summary>
    Waiting,
    Running,
    Succeeded,
    Failed,
}

/// <summary>A backup, a drill or a restore while it goes on, and for a while after. What it came to stands in the journal.</summary>
public sealed record BackupOperation
{
    public required long Id { get; init; }

    public required string Stack { get; init; }

    /// <summary><c>backup</c>, <c>dump</c>, <c>export</c>, <c>verify</c>, <c>drill</c>, <c>restore</c>, <c>undo</c>, <c>recover</c>, <c>prune</c> or <c>upkeep</c>.</summary>
    public required string Kind { get; init; }

    public required OperationState State { get; init; }

    public required DateTimeOffset StartedAt { get; init; }

    public DateTimeOffset? EndedAt { get; init; }

    /// <summary>What is being done, for people.</summary>
    public string What { get; init; } = "";

    /// <summary>Bytes of the present object so far.</summary>
    public long Bytes { get; init; }

    /// <summary>Of how many; null: not known.</summary>
    public long? Of { get; init; }

    /// <summary>Bytes in a second, over the present object.</summary>
    public double Rate { get; init; }

    /// <summary>How long the present object takes still; null: not known.</summary>
    public TimeSpan? Left => Of is { } of && Rate > 0 && of > Bytes ? TimeSpan.FromSeconds((of - Bytes) / Rate) : null;

    /// <summary>The set, the drill's or the restore's number, or how many sets were pruned, once it is known.</summary>
    public string? Result { get; init; }

    public string? Problem { get; init; }

    public string? Hint { get; init; }

    public bool Ended => State is OperationState.Succeeded or OperationState.Failed;
}
