namespace Orchestrator.Benchmarks.Load;

/// <summary>From the intended start to the whole answer, in milliseconds.</summary>
internal sealed record LoadLatency(double P50, double P95, double P99, double Max);
