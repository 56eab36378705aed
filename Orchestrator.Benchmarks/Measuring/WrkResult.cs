namespace Orchestrator.Benchmarks.Measuring;

/// <param name="Failed">Answers of 4xx and 5xx, broken connections, and time-outs.</param>
/// <param name="P50">Milliseconds, as the next two.</param>
internal sealed record WrkResult(long Requests, double Seconds, long Failed, double P50, double P95, double P99)
{
    public double PerSecond => Requests / Seconds;
}
