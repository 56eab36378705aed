using Orchestrator.Deployments;
using Orchestrator.Stacks;
using Orchestrator.Traffic;

namespace Orchestrator.Tests.Deployments;

public sealed class CanaryRuleTests
{
    private static readonly ShiftSpec Rule = new([10m, 100m], TimeSpan.FromSeconds(30)) { MinRequests = 20, MaxErrorRatio = 0.05, MaxP95Ratio = 2 };

    [TestCase(19, 19, 180, 0, 100, 10, null, Description = "too few requests say nothing")]
    [TestCase(20, 1, 180, 0, 10, 10, null, Description = "5 % are allowed")]
    [TestCase(20, 2, 180, 0, 10, 10, "2 failed (10.0 %)", Description = "worse")]
    [TestCase(20, 10, 180, 90, 10, 10, null, Description = "both colours fail alike: not the candidate's doing")]
    [TestCase(20, 12, 180, 90, 10, 10, "12 failed (60.0 %)", Description = "both fail, and the candidate more")]
    [TestCase(20, 0, 180, 0, 20, 10, null, Description = "twice as slow is allowed")]
    [TestCase(20, 0, 180, 0, 21, 10, "it is 2.1 times", Description = "slower than that is not")]
    [TestCase(20, 0, 19, 0, 90, 10, null, Description = "too few requests of the live colour to compare with")]
    public void The_candidate_is_compared_with_the_live_colour_over_the_same_time(int total, int failed, int liveTotal, int liveFailed, int p95, int liveP95, string? said)
    {
        var judged = CanaryStage.Judge(
            "app", Rule, 10, new(total, failed, TimeSpan.FromMilliseconds(p95)), new(liveTotal, liveFailed, TimeSpan.FromMilliseconds(liveP95)));

        Assert.That(judged?.Reason, Is.EqualTo(said is null ? (FailureReason?)null : FailureReason.CanaryFailed));
        if (said is not null) Assert.That(judged?.Detail, Does.Contain(said).And.Contain("With 10 % of the requests"));
    }

    [Test]
    public void A_window_counts_only_what_came_in_it()
    {
        var upstream = new Upstream(new("garden", "app", "blue", 1), [], TimeProvider.System);
        upstream.Traffic.Record(failed: true, TimeSpan.FromSeconds(5));

        var window = TrafficWindow.Begin(upstream);
        for (var i = 0; i < 100; i++) upstream.Traffic.Record(failed: i < 3, TimeSpan.FromMilliseconds(10));

        Assert.That((window().Total, window().Failed), Is.EqualTo((100L, 3L)));
        Assert.That(window().P95?.TotalMilliseconds, Is.InRange(10, 10.7));
    }
}
