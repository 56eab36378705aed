using Orchestrator.Benchmarks.Measuring;

namespace Orchestrator.Benchmarks.Edge;

/// <summary>What one contender has shown over all rounds.</summary>
/// <param name="CpuMicroseconds">Processor time per request, of the proxy and its children. Null: not a proxy.</param>
/// <param name="Ratio">BasMalin's cost, with one route, to this one's, round by round.</param>
/// <param name="P50">Milliseconds, as <paramref name="P99"/>.</param>
/// <param name="AllocatedBytes">On the managed heap, per request. Null: it has none.</param>
internal sealed record EdgeLine(string Name, Samples? CpuMicroseconds, Samples? Ratio, Samples PerSecond, Samples P50, Samples P99, Samples? AllocatedBytes, long Failed);
