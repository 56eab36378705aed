using System.Collections.Immutable;
using Orchestrator.Traffic;

namespace Orchestrator.Agent.StatusPage;

/// <summary>
/// The last ten minutes of each stack's traffic, from the counters that the proxy keeps anyway. A reading is a few thousand additions per stack and no
/// I/O, so it goes on while nobody looks: who opens the page after something has happened sees it.
/// </summary>
internal sealed class TrafficPulse(TrafficRouter router, TimeProvider time)
{
    public static readonly TimeSpan Interval = TimeSpan.FromSeconds(2);
    public const int Kept = 300;

    private readonly Lock _gate = new();
    private readonly Dictionary<string, StackPulse> _stacks = new(StringComparer.Ordinal);
    private readonly DateTimeOffset _since = time.GetUtcNow();
    private long _last = time.GetTimestamp();

    /// <summary>Reads the counters once; said every <see cref="Interval"/>.</summary>
    public void Sample()
    {
        var upstreams = router.Published.ToDictionary(stack => stack.Stack, stack => stack.Routes.Select(route => route.Upstream).Distinct().ToList());
        lock (_gate)
        {
            var now = time.GetTimestamp();
            var seconds = time.GetElapsedTime(_last, now).TotalSeconds;
            if (seconds <= 0) return;

            _last = now;
            foreach (var stack in upstreams.Keys) _stacks.TryAdd(stack, new StackPulse());
            foreach (var (stack, pulse) in _stacks)
                pulse.Sample(upstreams.GetValueOrDefault(stack) ?? [], time.GetUtcNow().ToUnixTimeMilliseconds(), seconds);
        }
    }

    /// <summary>Oldest first.</summary>
    /// <param name="after">Only what is later than this, in milliseconds since 1970.</param>
    public ImmutableArray<PulsePoint> PointsOf(string stack, long after)
    {
        lock (_gate) return _stacks.TryGetValue(stack, out var pulse) ? [.. pulse.Points.Where(point => point.At > after)] : [];
    }

    public TrafficTotals? TotalsOf(string stack)
    {
        lock (_gate) return _stacks.TryGetValue(stack, out var pulse) ? new(pulse.Total, pulse.Failed, _since) : null;
    }

    private sealed class StackPulse
    {
        // A colour that is being drained goes on counting after its route is gone, so it is kept until it has come to rest.
        private readonly Dictionary<Upstream, (TrafficSnapshot Seen, LatencyCounts Latencies)> _known = [];

        public Queue<PulsePoint> Points { get; } = new(Kept);

        public long Total { get; private set; }

        public long Failed { get; private set; }

        public void Sample(List<Upstream> live, long at, double seconds)
        {
            var latencies = new LatencyCounts();
            var (total, failed) = (0L, 0L);
            foreach (var upstream in _known.Keys.Union(live).ToList())
            {
                // Asked before the counters are read: what ends in between is then counted now, not lost.
                var atRest = upstream is { IsClosed: true, InFlight: 0 } || (!live.Contains(upstream) && upstream.InFlight == 0);
                var (seen, counted) = (upstream.Traffic.Snapshot(), upstream.Traffic.Latencies.Copy());
                var before = _known.GetValueOrDefault(upstream);
                total += seen.Total - (before.Seen?.Total ?? 0);
                failed += seen.Failed - (before.Seen?.Failed ?? 0);
                latencies.AddSince(counted, before.Latencies);
                _known[upstream] = (seen, counted);
                if (atRest && !live.Contains(upstream)) _known.Remove(upstream);
            }

            (Total, Failed) = (Total + total, Failed + failed);
            if (Points.Count == Kept) Points.Dequeue();
            Points.Enqueue(new(at, total / seconds, failed / seconds, latencies.Percentile(0.95)?.TotalMilliseconds));
        }
    }
}
