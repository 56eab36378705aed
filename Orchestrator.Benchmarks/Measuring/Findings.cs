using System.Collections.Immutable;

namespace Orchestrator.Benchmarks.Measuring;

/// <summary>What one benchmark has found.</summary>
/// <param name="Numbers">All of it, for the JSON.</param>
internal sealed record Findings(string Name, object Numbers, ImmutableArray<Goal> Goals, ImmutableArray<Table> Tables);
