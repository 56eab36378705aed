namespace Orchestrator.Traffic;

/// <summary>What an upstream's users have seen since it was made.</summary>
/// <param name="Failed">Answered 5xx, by the application or by the proxy, or cut off by the upstream. A client that leaves is no failure.</param>
/// <param name="P95">95th percentile of the time to the whole answer, 6 % accurate; null when there was none. Event streams and WebSockets are left out.</param>
public sealed record TrafficSnapshot(long Total, long Failed, TimeSpan? P95);

/// <summary>Counts requests; nothing in it locks or allocates.</summary>
public sealed class UpstreamTraffic
{
    private long _total;
    private long _failed;

    /// <summary>The times behind <see cref="TrafficSnapshot.P95"/>, as they are counted; take a <see cref="LatencyCounts.Copy"/> to compare with later.</summary>
    public LatencyCounts Latencies { get; } = new();

    public TrafficSnapshot Snapshot()
    {
        var failed = Interlocked.Read(ref _failed);
        return new TrafficSnapshot(Interlocked.Read(ref _total), failed, Latencies.Percentile(0.95));
    }

    /// <param name="latency">Null: this request says nothing about latency.</param>
    internal void Record(bool failed, TimeSpan? latency)
    {
        Interlocked.Increment(ref _total);
        if (failed)
            Interlocked.Increment(ref _failed);
        if (latency is { } took)
            Latencies.Record(took);
    }
}
