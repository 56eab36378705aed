namespace Orchestrator.Agent.Api.Contracts;

/// <summary>What is made. No body: a set.</summary>
public sealed record MakeBackupRequest
{
    /// <summary>True: a logical dump of the stack's PostgreSQL, loaded into a throw-away server at once to prove it.</summary>
    public bool Dump { get; init; }
}
