namespace Orchestrator.Agent.Api.Contracts;

/// <summary>A backup, drill or restore while it goes on, and for a while after. Operations are numbered anew when the daemon starts.</summary>
public sealed record OperationResponse
{
    public required long Id { get; init; }

    public required string Stack { get; init; }

    /// <summary>backup, verify, drill, restore, undo or recover.</summary>
    public required string Kind { get; init; }

    /// <summary>waiting, running, succeeded or failed.</summary>
    public required string State { get; init; }

    public required DateTimeOffset StartedAt { get; init; }

    public DateTimeOffset? EndedAt { get; init; }

    /// <summary>What is being done, for people.</summary>
    public required string What { get; init; }

    /// <summary>Bytes of the present object so far.</summary>
    public long Bytes { get; init; }

    /// <summary>Of how many; null: not known.</summary>
    public long? Of { get; init; }

    /// <summary>Bytes in a second.</summary>
    public double Rate { get; init; }

    /// <summary>Seconds that the present object takes still; null: not known.</summary>
    public double? LeftSeconds { get; init; }

    /// <summary>The set, or the number of the drill or restore.</summary>
    public string? Result { get; init; }

    public string? Problem { get; init; }

    public string? Hint { get; init; }
}
