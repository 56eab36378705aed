namespace Orchestrator.Agent.Api.Contracts;

/// <summary>A change that somebody asked for.</summary>
/// <param name="Number">From 1, without gaps.</param>
/// <param name="Who">A token's name, <c>socket</c>, <c>webhook:github</c>, <c>start</c>.</param>
/// <param name="What">e.g. <c>deploy: deployment 12: app=…</c>.</param>
/// <param name="Stack">Null: it concerns none, or all.</param>
/// <param name="Outcome">accepted, or why it was denied.</param>
public sealed record AuditEntryResponse(long Number, DateTimeOffset At, string Who, string What, string? Stack, string Outcome);
