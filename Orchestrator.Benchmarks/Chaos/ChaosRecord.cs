using System.Collections.Immutable;

namespace Orchestrator.Benchmarks.Chaos;

/// <summary>One act of the run, and what became of it.</summary>
/// <param name="At">Seconds from the beginning.</param>
/// <param name="Whole">Seconds from a blow until every replica of both stacks ran and was served again; null: it was a deployment, or that did not come.</param>
/// <param name="Outcome">How the deployment ended; null: it was a blow, or came to nothing.</param>
internal sealed record ChaosRecord(int Round, ActKind Kind, double At, double? Whole, string? Outcome);

/// <summary>Something that may not be.</summary>
/// <param name="At">Seconds from the beginning.</param>
/// <param name="Round">What was done then.</param>
internal sealed record ChaosViolation(double At, string Round, string What);

/// <summary>What the daemon held when everything had settled.</summary>
internal sealed record ChaosHoldings(double At, double Megabytes, int Files, int Threads);

/// <summary>All that a run has come to.</summary>
internal sealed record ChaosRun(
    int Seed,
    double Seconds,
    int Rounds,
    ImmutableArray<ChaosRecord> Acts,
    ImmutableArray<ChaosViolation> Violations,
    ImmutableArray<ChaosHoldings> Holdings,
    long Requests,
    long Unexcused,
    ImmutableSortedDictionary<ActKind, (long Count, TimeSpan Longest)> Excused);
