namespace Orchestrator.Agent.Api.Contracts;

/// <summary>What <c>basmalin version</c> says.</summary>
/// <param name="Client">Version of the command line.</param>
/// <param name="Daemon">Null: it does not answer.</param>
public sealed record VersionReport(string Client, VersionResponse? Daemon);
