namespace Orchestrator.Agent.Api.Contracts;

/// <summary>Something that was found in a Compose file.</summary>
/// <param name="Severity">error or note.</param>
/// <param name="Line">From 1.</param>
/// <param name="Column">From 1.</param>
/// <param name="Key">Dotted path, e.g. <c>services.app.ports[0]</c>.</param>
/// <param name="Hint">What to do; null when the message says it all.</param>
public sealed record FindingResponse(string Severity, string File, int Line, int Column, string Key, string Message, string? Hint);
