using System.Globalization;
using Orchestrator.Traffic;

namespace Orchestrator.Deployments;

/// <summary>What users saw of an upstream over some time.</summary>
public sealed record TrafficWindow(long Total, long Failed, TimeSpan? P95)
{
    public double ErrorRatio => Total == 0 ? 0 : Failed / (double)Total;

    /// <summary>A stretch that begins now; ask it as often as you like how it stands.</summary>
    public static Func<TrafficWindow> Begin(Upstream upstream)
    {
        var traffic = upstream.Traffic;
        var at = traffic.Snapshot();
        var latencies = traffic.Latencies.Copy();
        return () =>
        {
            var now = traffic.Snapshot();
            var since = new LatencyCounts();
            since.AddSince(traffic.Latencies, latencies);
            return new(now.Total - at.Total, now.Failed - at.Failed, since.Percentile(0.95));
        };
    }

    public override string ToString() =>
        string.Create(CultureInfo.InvariantCulture, $"{Total} requests, {Failed} failed ({ErrorRatio * 100:0.0} %), p95 {(P95 is { } p95 ? $"{p95.TotalMilliseconds:0.0} ms" : "unknown")}");
}
