namespace Orchestrator.Agent.Api.Contracts;

/// <param name="For">From 1s to 10m, e.g. 30s, which is the default: then it ends by itself.</param>
public sealed record PauseRequest(string? For = null);
