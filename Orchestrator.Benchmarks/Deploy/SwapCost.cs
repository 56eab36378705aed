using Orchestrator.Benchmarks.Edge;
using Orchestrator.Benchmarks.Measuring;
using Orchestrator.Traffic;
using Prometheus;

namespace Orchestrator.Benchmarks.Deploy;

/// <summary>Nothing but the swap of the route table, among so many stacks.</summary>
internal static class SwapCost
{
    private const int Swaps = 200;

    /// <returns>Milliseconds.</returns>
    public static Samples Measure(int stacks, TimeProvider time)
    {
        var router = new TrafficRouter(new EdgeMetrics(Metrics.NewCustomRegistry()), TimeProvider.System);
        for (var i = 0; i < stacks; i++)
            router.Publish(OwnEdge.RoutesOf(i, "blue", port: 1));

        var took = new List<double>();
        for (var i = 0; i < 2 * Swaps; i++)
        {
            var next = OwnEdge.RoutesOf(stacks / 2, i % 2 == 0 ? "green" : "blue", port: 1);
            var started = time.GetTimestamp();
            router.Publish(next);
            took.Add(time.GetElapsedTime(started).TotalMilliseconds);
        }

        // The first half is the compiler's.
        return Samples.Of(took.Skip(Swaps));
    }
}
