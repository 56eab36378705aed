using System.Collections.Immutable;
using System.Globalization;

namespace Orchestrator.Benchmarks.Chaos;

/// <summary>One thing that is done, with everything about it that is left to chance.</summary>
/// <param name="After">When, from the beginning of its round.</param>
/// <param name="Pick">Which of several, modulo their number.</param>
/// <param name="Span">How long it lasts, where it lasts.</param>
internal sealed record ChaosAct(ActKind Kind, TimeSpan After, int Pick, TimeSpan Span)
{
    public bool Deploys => Kind <= ActKind.RemoveCandidate;

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Kind} at {After.TotalSeconds:0.0} s");
}

/// <summary>What is done together; after it everything has to settle.</summary>
internal sealed record ChaosRound(int Number, ImmutableArray<ChaosAct> Acts)
{
    public override string ToString() => $"round {Number}: {string.Join(", ", Acts)}";
}
