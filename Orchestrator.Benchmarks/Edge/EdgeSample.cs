using Orchestrator.Benchmarks.Measuring;

namespace Orchestrator.Benchmarks.Edge;

/// <summary>One contender in one round.</summary>
internal sealed record EdgeSample(WrkResult Load, TimeSpan Cpu, long? Allocated)
{
    public double CpuMicroseconds => Cpu.TotalMicroseconds / Load.Requests;
}
