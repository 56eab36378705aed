namespace Orchestrator.Agent.Api.Contracts;

/// <summary>Brings an earlier release back.</summary>
public sealed record RollbackRequest
{
    /// <summary>The release; null: the one before the current.</summary>
    public int? To { get; init; }

    /// <summary>Also inside a freeze window.</summary>
    public bool Force { get; init; }
}
