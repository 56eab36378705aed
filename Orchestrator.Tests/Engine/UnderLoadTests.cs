using System.Globalization;
using System.Text.RegularExpressions;
using Orchestrator.Deployments;
using Orchestrator.Docker;
using Orchestrator.Tests.Load;

namespace Orchestrator.Tests.Engine;

/// <summary>The promise: whatever is deployed, no request is lost. Users arrive at a fixed rate throughout, whatever becomes of the others.</summary>
internal sealed partial class UnderLoadTests
{
    [Test]
    public async Task Deploying_deploying_meanwhile_and_rolling_back_lose_no_request()
    {
        await using var daemon = await TestDaemon.StartAsync();
        var name = TestDaemon.NewName();
        var host = $"{name}.example";
        var first = await daemon.ApplyAsync(Garden.Compose(name, "1.0.0", host));
        Assert.That(first.State, Is.EqualTo(DeploymentState.Succeeded), first.Failure?.ToString());

        await using var load = OpenLoopLoad.Start(Users(daemon, host) with { WebSocketPath = "/api/ws", EventsPath = "/api/events" });
        await load.SeenAsync("1.0.0", Soon());

        var second = await daemon.SubmitAsync(new() { Stack = name, Kind = DeploymentKind.Deploy, Images = Images("2.0.0") });
        await daemon.ReachesAsync(second, StepKind.Start);
        var meanwhile = await daemon.SubmitAsync(new() { Stack = name, Kind = DeploymentKind.Deploy, Images = Images("1.0.0") });
        await Expect(daemon, second, DeploymentState.Succeeded);
        await Expect(daemon, meanwhile, DeploymentState.Succeeded);

        var warm = await daemon.RollbackAsync(name);
        Assert.That((warm.State, warm.Plan?.WarmSwap), Is.EqualTo((DeploymentState.Succeeded, true)), warm.Failure?.ToString());
        await load.SeenAsync("2.0.0", Soon());

        var cold = await daemon.RollbackAsync(name, to: 1);
        Assert.That((cold.State, cold.Plan?.WarmSwap), Is.EqualTo((DeploymentState.Succeeded, false)), cold.Failure?.ToString());
        await load.SeenAsync("1.0.0", Soon());

        var report = await load.StopAsync();
        TestContext.Out.WriteLine(report);
        Assert.Multiple(() =>
        {
            Assert.That(report.Failed, Is.Zero, report.ToString());
            Assert.That(report.Versions.Keys, Is.SupersetOf(new[] { "1.0.0", "2.0.0" }));
            Assert.That(report.WebSocketCloses, Is.Not.Empty.And.All.EqualTo(1012), "WebSockets are asked to come back, not cut");
            Assert.That((warm.Requests.Failed, cold.Requests.Failed), Is.EqualTo((0L, 0L)), "an event stream that is asked to end has not failed");
            Assert.That(warm.Steps.Single(step => step.Name == StepKind.Drain).Detail, Does.Match("^[0-9]+ requests ended by themselves, 0 cut off; [0-9]+ event streams asked to come back; [1-9][0-9]* WebSockets closed, 0 cut off; "), "what a drain came to is kept");
            Assert.That((report.EventStreamsCut, report.EventStreamsEnded > 0), Is.EqualTo((0L, true)), "event streams end in good order");
        });
    }

    [TestCase("broken-never-healthy", FailureReason.NeverHealthy, StepKind.Gate)]
    [TestCase("broken-exit", FailureReason.ContainerExited, StepKind.Gate)]
    [TestCase("broken-smoke", FailureReason.SmokeFailed, StepKind.Smoke)]
    public async Task A_broken_version_is_refused_and_nobody_notices(string tag, FailureReason reason, StepKind step)
    {
        await using var daemon = await TestDaemon.StartAsync();
        var name = TestDaemon.NewName();
        var host = $"{name}.example";
        var first = await daemon.ApplyAsync(Garden.Compose(name, "1.0.0", host, replicas: 1));
        Assert.That(first.State, Is.EqualTo(DeploymentState.Succeeded), first.Failure?.ToString());
        await using var load = OpenLoopLoad.Start(Users(daemon, host));
        await load.SeenAsync("1.0.0", Soon());

        var broken = await daemon.DeployAsync(name, "app", Garden.Image(tag));
        var report = await load.StopAsync();

        Assert.Multiple(() =>
        {
            Assert.That(broken.State, Is.EqualTo(DeploymentState.Failed));
            Assert.That(broken.Failure?.Reason, Is.EqualTo(reason), broken.Failure?.Detail);
            Assert.That(broken.Steps.Single(row => row.Name == step).State, Is.EqualTo(StepState.Failed));
            Assert.That(broken.Failure?.Step, Is.EqualTo(step));
            Assert.That(broken.Steps.Select(row => row.Name), Is.Ordered, "in the order in which they were begun");
            Assert.That(report.Failed, Is.Zero, report.ToString());
            Assert.That(report.Versions.Keys, Is.EqualTo(new[] { "1.0.0" }), "nobody has seen the broken version");
        });
        Assert.That((await daemon.ContainersAsync(name)).Where(seen => seen.Service == "app").Select(seen => seen.Release), Is.All.EqualTo(1), "nothing of the broken version is left");
        Assert.That((await daemon.StateAsync(name)).CurrentRelease, Is.EqualTo(1));
    }

    [Test]
    public async Task A_version_that_goes_bad_after_the_switch_is_taken_back()
    {
        await using var daemon = await TestDaemon.StartAsync();
        var name = TestDaemon.NewName();
        var host = $"{name}.example";
        const string Baking = "bake: { for: 60s, min_requests: 20, max_error_ratio: 0.05 }";
        var first = await daemon.ApplyAsync(Light(name, "1.0.0", host, "", Baking));
        Assert.That(first.State, Is.EqualTo(DeploymentState.Succeeded), first.Failure?.ToString());
        await using var load = OpenLoopLoad.Start(Users(daemon, host));
        await load.SeenAsync("1.0.0", Soon());

        var bad = await daemon.ApplyAsync(Light(name, "2.0.0", host, "  GARDEN_FAULT_FAIL_AFTER_SECONDS: \"15\"", Baking));
        var failedByThen = load.Report().Failed;
        await load.SeenAsync("1.0.0", Soon());
        var report = await load.StopAsync();

        Assert.Multiple(() =>
        {
            Assert.That(bad.State, Is.EqualTo(DeploymentState.RolledBack), bad.Failure?.ToString());
            Assert.That(bad.Failure?.Reason, Is.EqualTo(FailureReason.BakeFailed));
            Assert.That(report.Failed, Is.LessThanOrEqualTo(bad.Requests.Failed + failedByThen), "after the way back nothing fails any more");
            Assert.That(report.Failures, Is.All.Contains("50"), "every failure is an answer of the bad version itself: none was lost on the way");
        });
        Assert.That((await daemon.GetAsync(host, "/version")).Version, Is.EqualTo("1.0.0"));
    }

    /// <summary>Unroute → drain to zero → SIGTERM, from what the container itself saw.</summary>
    [Test]
    public async Task The_old_version_is_told_to_stop_only_when_nothing_is_in_flight_on_it()
    {
        await using var daemon = await TestDaemon.StartAsync();
        var name = TestDaemon.NewName();
        var host = $"{name}.example";
        Assert.That((await daemon.ApplyAsync(Light(name, "1.0.0", host, "", "warm: 0s"))).State, Is.EqualTo(DeploymentState.Succeeded));
        var old = (await daemon.ContainersAsync(name)).Single();
        await using var load = OpenLoopLoad.Start(Users(daemon, host) with { Mix = new(20, 0, 0, 80), SlowPath = "/api/slow?ms=1500" });
        await load.SeenAsync("1.0.0", Soon());

        var log = LogAsync(daemon, old.Id);
        Assert.That((await daemon.DeployAsync(name, "app", Garden.Image("2.0.0"))).State, Is.EqualTo(DeploymentState.Succeeded));
        var lines = await log;                                      // ends when the container does
        var report = await load.StopAsync();

        var inFlight = lines.Select(line => Sigterm().Match(line)).Where(match => match.Success).Select(match => int.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture)).ToList();
        Assert.Multiple(() =>
        {
            Assert.That(inFlight, Is.EqualTo(new[] { 0 }), string.Join('\n', lines));
            Assert.That(report.Failed, Is.Zero, report.ToString());
        });
    }

    private static string Light(string name, string tag, string host, string settings, string basMalin)
    {
        var text = Garden.Light(name, tag, host, settings);
        var key = basMalin[..basMalin.IndexOf(':', StringComparison.Ordinal)];
        var lines = text.Split('\n').Where(line => !line.TrimStart().StartsWith(key + ":", StringComparison.Ordinal)).ToList();
        lines.Insert(lines.FindIndex(line => line.Contains("x-basmalin:", StringComparison.Ordinal)) + 1, $"      {basMalin}");
        return string.Join('\n', lines);
    }

    private static async Task<List<string>> LogAsync(TestDaemon daemon, ContainerId id)
    {
        var lines = new List<string>();
        await foreach (var line in daemon.Engine.FollowAsync(id, 100, Soon())) lines.Add(line.Text);
        return lines;
    }

    private static LoadOptions Users(TestDaemon daemon, string host) => new() { Address = daemon.Edge, Host = host, Rate = 40 };

    private static System.Collections.Immutable.ImmutableSortedDictionary<string, string> Images(string tag) =>
        System.Collections.Immutable.ImmutableSortedDictionary<string, string>.Empty.Add("app", Garden.Image(tag));

    private static async Task Expect(TestDaemon daemon, DeploymentId id, DeploymentState state)
    {
        var ended = await daemon.EndAsync(id);
        Assert.That(ended.State, Is.EqualTo(state), ended.Failure?.ToString());
    }

    private static CancellationToken Soon() => new CancellationTokenSource(TimeSpan.FromMinutes(2)).Token;

    [GeneratedRegex(@"SIGTERM received with (\d+) requests in flight")]
    private static partial Regex Sigterm();
}
