using System.Numerics;

namespace Orchestrator.Traffic;

/// <summary>How many requests took how long, in buckets 6 % wide. Counting neither locks nor allocates.</summary>
public sealed class LatencyCounts
{
    // Microseconds: below 32 one bucket each, above it 16 buckets to a power of two, up to 19 hours.
    private const int Linear = 32;
    private const int Buckets = Linear + (32 * 16);

    private readonly long[] _counts = new long[Buckets];

    /// <summary>A copy that no longer moves.</summary>
    public LatencyCounts Copy()
    {
        var copy = new LatencyCounts();
        copy.AddSince(this, null);
        return copy;
    }

    /// <summary>Adds what came between two readings of the same counts.</summary>
    /// <param name="earlier">Null: from the beginning.</param>
    public void AddSince(LatencyCounts later, LatencyCounts? earlier)
    {
        for (var i = 0; i < Buckets; i++)
            _counts[i] += Interlocked.Read(ref later._counts[i]) - (earlier?._counts[i] ?? 0);
    }

    /// <param name="fraction">From 0 to 1.</param>
    /// <returns>The upper bound of the bucket that it falls into; null when there was no request.</returns>
    public TimeSpan? Percentile(double fraction)
    {
        var counts = new long[Buckets];
        var sum = 0L;
        for (var i = 0; i < Buckets; i++)
            sum += counts[i] = Interlocked.Read(ref _counts[i]);

        var rank = (long)Math.Ceiling(sum * fraction);
        for (var i = 0; i < Buckets && sum > 0; i++)
        {
            rank -= counts[i];
            if (rank <= 0)
                return TimeSpan.FromMicroseconds(UpperBound(i));
        }

        return null;
    }

    internal void Record(TimeSpan took) => Interlocked.Increment(ref _counts[BucketOf((ulong)Math.Max(0, took.Ticks / TimeSpan.TicksPerMicrosecond))]);

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
