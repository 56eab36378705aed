namespace Orchestrator.Tests.Load;

/// <summary>One request and what came of it.</summary>
/// <param name="Came">When it was sent, as a timestamp of <see cref="TimeProvider"/>; so is <paramref name="Left"/>, when its answer was whole or it had failed.</param>
/// <param name="HasBody">It carried one: such a request is never sent twice.</param>
/// <param name="Status">0: no answer, or none that was whole.</param>
/// <param name="Version">Who answered, by its header; null: nobody said.</param>
/// <param name="RetryAfter">The answer said when to come again.</param>
/// <param name="Problem">Why it counts as failed; null: it does not.</param>
public sealed record LoadVisit(long Came, long Left, bool HasBody, int Status, string? Version, bool RetryAfter, string? Problem);
