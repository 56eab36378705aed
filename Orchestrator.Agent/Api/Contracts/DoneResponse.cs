namespace Orchestrator.Agent.Api.Contracts;

/// <summary>What the command line says with <c>--json</c> when there is nothing else to say.</summary>
public sealed record DoneResponse(bool Done);
