using System.Collections.Immutable;
using System.Globalization;
using Orchestrator.Stacks;
using Orchestrator.Traffic;

namespace Orchestrator.Deployments;

/// <summary>What the edge has seen of both colours since the shift.</summary>
public sealed class BakeWatch
{
    private readonly ImmutableDictionary<string, (Upstream Upstream, TrafficSnapshot At)> _candidates;
    private readonly ImmutableArray<(Upstream Upstream, TrafficSnapshot At)> _all;
    private readonly ImmutableDictionary<string, TimeSpan?> _before;
    private readonly TimeProvider _time;
    private readonly long _since;

    public BakeWatch(ImmutableDictionary<string, Upstream> candidates, ImmutableDictionary<string, Upstream> retired, TimeProvider time)
    {
        _candidates = candidates.ToImmutableDictionary(pair => pair.Key, pair => (pair.Value, pair.Value.Traffic.Snapshot()));
        _all = [.. candidates.Values.Concat(retired.Values).Select(upstream => (upstream, upstream.Traffic.Snapshot()))];
        _before = retired.ToImmutableDictionary(pair => pair.Key, pair => pair.Value.Traffic.Snapshot().P95);
        _time = time;
        _since = time.GetTimestamp();
    }

    public TimeSpan Elapsed => _time.GetElapsedTime(_since);

    /// <summary>Requests of both colours while the candidate had only a share of them.</summary>
    public RequestCount Earlier { get; init; }

    /// <summary>Requests of both colours since the shift, and the earlier ones.</summary>
    public RequestCount Requests
    {
        get
        {
            var seen = _all.Select(item => (Now: item.Upstream.Traffic.Snapshot(), item.At)).ToList();
            return new(Earlier.Total + seen.Sum(item => item.Now.Total - item.At.Total), Earlier.Failed + seen.Sum(item => item.Now.Failed - item.At.Failed));
        }
    }

    /// <returns>Null while the candidate is no worse than declared.</returns>
    public StepFailure? Judge(string service, BakeSpec rule)
    {
        if (!_candidates.TryGetValue(service, out var candidate)) return null;

        var now = candidate.Upstream.Traffic.Snapshot();
        return Judge(service, rule, now.Total - candidate.At.Total, now.Failed - candidate.At.Failed, now.P95, _before.GetValueOrDefault(service));
    }

    /// <summary>Pure: the rule of the bake.</summary>
    public static StepFailure? Judge(string service, BakeSpec rule, long total, long failed, TimeSpan? p95, TimeSpan? before)
    {
        if (total < rule.MinRequests) return null;

        var ratio = total == 0 ? 0 : failed / (double)total;
        if (ratio > rule.MaxErrorRatio)
            return Bad(service, string.Create(CultureInfo.InvariantCulture, $"{failed} of {total} requests failed ({ratio:P1}), {rule.MaxErrorRatio:P1} are allowed"));
        return rule.MaxP95Ratio is { } limit && p95 is { } now && before is { } then && then > TimeSpan.Zero && now / then > limit
            ? Bad(service, string.Create(CultureInfo.InvariantCulture, $"its 95th percentile is {now.TotalMilliseconds:0} ms against {then.TotalMilliseconds:0} ms before ({now / then:0.0} times, {limit:0.0} are allowed)"))
            : null;
    }

    public static StepFailure Bad(string service, string what) => new(
        FailureReason.BakeFailed, $"After the switch {service} misbehaved: {what}.", "The previous version has the traffic again. The failed requests stand in the deployment's report.");
}
