using System.Collections.Immutable;
using Orchestrator.Deployments;
using Orchestrator.Docker;
using Orchestrator.Planning;
using Orchestrator.Stacks;

namespace Orchestrator.Tests.Deployments;

internal sealed class BakeRuleTests
{
    private static readonly BakeSpec Rule = new() { MaxErrorRatio = 0.01, MaxP95Ratio = 2, MinRequests = 50 };

    [TestCase(49, 49, null, null, true, TestName = "too few requests say nothing")]
    [TestCase(100, 1, null, null, true, TestName = "as many failures as are allowed")]
    [TestCase(100, 2, null, null, false, TestName = "more failures than are allowed")]
    [TestCase(100, 0, 20, 10, true, TestName = "twice as slow is allowed")]
    [TestCase(100, 0, 21, 10, false, TestName = "more than twice as slow is not")]
    [TestCase(100, 0, 500, null, true, TestName = "without a previous colour latency is not compared")]
    public void The_bake_judges_by_its_rule(long total, long failed, int? p95, int? before, bool good) =>
        Assert.That(BakeWatch.Judge("app", Rule, total, failed, Span(p95), Span(before)) is null, Is.EqualTo(good));

    [Test]
    public void A_bad_candidate_is_described_in_numbers() =>
        Assert.That(BakeWatch.Judge("app", Rule, 200, 50, null, null), Is.Not.Null.And.Property(nameof(StepFailure.Detail)).Contains("50 of 200 requests failed (25.0 %)"));

    [Test]
    public void Releases_that_can_still_be_wanted_are_kept()
    {
        ImmutableArray<Release> releases = [.. Enumerable.Range(1, 12).Reverse().Select(number => Release(number, committed: number % 4 != 0))];
        var state = new StackState { Stack = "s", CurrentRelease = 11, Live = ImmutableSortedDictionary<string, Generation>.Empty.Add("worker", new(Colour.Blue, 2)) };

        var surplus = ReleaseCleanup.Surplus(releases, state, keep: 3).Select(release => release.Number);

        Assert.That(surplus, Is.EqualTo(new[] { 8, 6, 5, 4, 3, 1 }), "kept: 11 and three before it, 2 because it is live, 12 because it is the newest");
    }

    [Test]
    public void Only_what_has_the_traffic_is_warm_or_is_in_the_file_stays()
    {
        var app = Planning.PlannerTests.App();
        var release = Release(3, true) with { Stack = Planning.PlannerTests.Stack(app, Planning.PlannerTests.Database()) };
        var state = new StackState
        {
            Stack = "s",
            CurrentRelease = 3,
            Live = ImmutableSortedDictionary<string, Generation>.Empty.Add("app", new(Colour.Green, 3)),
            Warm = new(2, ImmutableSortedDictionary<string, Generation>.Empty.Add("app", new(Colour.Blue, 2)), DateTimeOffset.MaxValue),
        };

        Assert.Multiple(() =>
        {
            Assert.That(Sweeper.Stays(release, state, Seen("app", "green", 3)), Is.True, "live");
            Assert.That(Sweeper.Stays(release, state, Seen("app", "blue", 2)), Is.True, "warm");
            Assert.That(Sweeper.Stays(release, state, Seen("app", "blue", 1)), Is.False, "of an older release");
            Assert.That(Sweeper.Stays(release, state, Seen("app", null, 1)), Is.False, "from before it was blue/green");
            Assert.That(Sweeper.Stays(release, state, Seen("db", null, 1)), Is.True, "in place");
            Assert.That(Sweeper.Stays(release, state, Seen("gone", null, 3)), Is.False, "not in the file");
        });
    }

    private static TimeSpan? Span(int? milliseconds) => milliseconds is { } value ? TimeSpan.FromMilliseconds(value) : null;

    private static Release Release(int number, bool committed) => new()
    {
        Number = number,
        Stack = new() { Name = "s", Directory = "/" },
        Images = ImmutableSortedDictionary<string, ImageIdentity>.Empty,
        CreatedAt = default,
        Deployment = new(number),
        Committed = committed,
    };

    private static ObservedContainer Seen(string service, string? colour, int release)
    {
        var labels = ImmutableSortedDictionary<string, string>.Empty.Add(Labels.Service, service).Add(Labels.Release, $"{release}");
        return new() { Id = new("1"), Name = service, Labels = colour is null ? labels : labels.Add(Labels.Colour, colour), State = ContainerState.Running, ImageId = "sha256:1" };
    }
}
