namespace Orchestrator.Access;

/// <param name="Number">From 1, without gaps.</param>
/// <param name="Who">A token's name, <c>socket</c>, <c>webhook:github</c>, …</param>
/// <param name="What">E.g. <c>deployment.start</c>, with what identifies it; never a secret's value.</param>
/// <param name="Stack">Null: it concerns no stack, or all.</param>
/// <param name="Outcome">E.g. <c>accepted</c>, <c>denied: scope</c>.</param>
public sealed record AuditEntry(long Number, DateTimeOffset At, string Who, string What, string? Stack, string Outcome);
