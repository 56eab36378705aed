using System.Globalization;
using Orchestrator.Stacks;
using Orchestrator.Traffic;

namespace Orchestrator.Deployments;

/// <summary>One service of a canary: its rule, the candidate, and the live colour that it is compared with over the same time.</summary>
public sealed class CanaryStage(string service, ShiftSpec rule, decimal percent, Upstream candidate, Upstream live)
{
    private readonly Func<TrafficWindow> _candidate = TrafficWindow.Begin(candidate);
    private readonly Func<TrafficWindow> _live = TrafficWindow.Begin(live);

    public TimeSpan Dwell => rule.Dwell;

    /// <summary>The candidate had enough requests to be judged by.</summary>
    public bool Enough => _candidate().Total >= rule.MinRequests;

    /// <returns>Null while the candidate is no worse than declared.</returns>
    public StepFailure? Judge() => Judge(service, rule, percent, _candidate(), _live());

    public override string ToString()
    {
        var (tried, kept) = (_candidate(), _live());
        var share = tried.Total + kept.Total == 0 ? 0 : tried.Total * 100.0 / (tried.Total + kept.Total);
        return string.Create(CultureInfo.InvariantCulture, $"{service} at {percent:0.##} %: new {tried} ({share:0.0} % of all); old {kept}");
    }

    /// <summary>Pure: the rule of the canary.</summary>
    public static StepFailure? Judge(string service, ShiftSpec rule, decimal percent, TrafficWindow candidate, TrafficWindow live)
    {
        if (candidate.Total < rule.MinRequests) return null;

        // What fails for both colours alike, a database for instance, is not the candidate's doing.
        if (candidate.ErrorRatio - live.ErrorRatio > rule.MaxErrorRatio)
            return Bad(service, percent, candidate, live, string.Create(CultureInfo.InvariantCulture, $"its share of failed requests may be {rule.MaxErrorRatio * 100:0.##} points larger"));

        return rule.MaxP95Ratio is { } limit && live.Total >= rule.MinRequests && candidate.P95 is { } now && live.P95 is { } then && then > TimeSpan.Zero && now / then > limit
            ? Bad(service, percent, candidate, live, string.Create(CultureInfo.InvariantCulture, $"its 95th percentile may be {limit:0.##} times as long, it is {now / then:0.0} times"))
            : null;
    }

    public static StepFailure Bad(string service, decimal percent, TrafficWindow candidate, TrafficWindow live, string allowed) => new(
        FailureReason.CanaryFailed,
        string.Create(CultureInfo.InvariantCulture, $"With {percent:0.##} % of the requests the new version of {service} was worse than the old one over the same time: new {candidate}; old {live}; {allowed}."),
        "All requests go to the previous version, which had the others all the time. The failed requests stand in the deployment's report.");
}
