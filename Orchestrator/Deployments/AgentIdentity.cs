namespace Orchestrator.Deployments;

/// <summary>The daemon's own name, with which its containers are labelled.</summary>
/// <param name="Id">Null: containers are not told apart.</param>
public sealed record AgentIdentity(string? Id);
