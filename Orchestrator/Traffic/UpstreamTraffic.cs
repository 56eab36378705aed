using System.Numerics;

namespace Orchestrator.Traffic;

/// <summary>What an upstream's users have seen since it was made.</summary>
/// <param name="Failed">Answered 5xx, by the application or by the proxy, or cut off by the upstream. A client that leaves is no failure.</param>
/// <param name="P95">95th percentile of the time to the whole answer, 6 % accurate; null when there was none. Event streams and WebSockets are left out.</param>
public sealed record TrafficSnapshot(long Total, long Failed, TimeSpan? P95);

/// <summary>Counts requests; nothing in it locks or allocates.</summary>
public sealed class UpstreamTraffic
{
    // Microseconds: below 32 one bucket each, above it 16 buckets to a power of two, up to 19 hours.
    private const int Linear = 32;
    private const int Buckets = Linear + (32 * 16);

    private readonly long[] _latencies = new long[Buckets];
    private long _total;
    private long _failed;

    public TrafficSnapshot Snapshot()
    {
        var failed = Interlocked.Read(ref _failed);
        return new TrafficSnapshot(Interlocked.Read(ref _total), failed, Percentile(0.95));
    }

    /// <param name="latency">Null: this request says nothing about latency.</param>
    internal void Record(bool failed, TimeSpan? latency)
    {
        Interlocked.Increment(ref _total);
        if (failed)
            Interlocked.Increment(ref _failed);
        if (latency is { } took)
            Interlocked.Increment(ref _latencies[BucketOf((ulong)Math.Max(0, took.Ticks / TimeSpan.TicksPerMicrosecond))]);
    }

    private TimeSpan? Percentile(double fraction)
    {
        var counts = new long[Buckets];
        var sum = 0L;
        for (var i = 0; i < Buckets; i++)
            sum += counts[i] = Interlocked.Read(ref _latencies[i]);

        var rank = (long)Math.Ceiling(sum * fraction);
        for (var i = 0; i < Buckets && sum > 0; i++)
        {
            rank -= counts[i];
            if (rank <= 0)
                return TimeSpan.FromMicroseconds(UpperBound(i));
        }

        return null;
    }

    private static int BucketOf(ulong microseconds)
    {
        if (microseconds < Linear)
            return (int)microseconds;

        var power = BitOperations.Log2(microseconds);
        return Math.Min(Buckets - 1, Linear + ((power - 5) * 16) + (int)((microseconds >> (power - 4)) & 15));
    }

    private static double UpperBound(int bucket)
    {
        if (bucket < Linear)
            return bucket;

        var power = ((bucket - Linear) / 16) + 5;
        return (1L << power) + ((((bucket - Linear) % 16) + 1L) << (power - 4));
    }
}
