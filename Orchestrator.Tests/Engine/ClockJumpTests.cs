using Orchestrator.Deployments;

namespace Orchestrator.Tests.Engine;

/// <summary>Somebody sets the clock while a deployment runs: what waits does not notice, and what has an hour in the calendar ends early or late, and harms nobody.</summary>
internal sealed class ClockJumpTests
{
    [Test]
    public async Task A_deployment_does_not_notice_that_the_clock_is_set_at_each_of_its_steps()
    {
        var clock = new SettableClock();
        await using var daemon = await TestDaemon.StartAsync(time: clock);
        var name = TestDaemon.NewName();
        Assert.That((await daemon.ApplyAsync(Garden.Light(name, "1.0.0", $"{name}.example"))).State, Is.EqualTo(DeploymentState.Succeeded));

        var since = TimeProvider.System.GetTimestamp();
        var id = await daemon.SubmitAsync(new() { Stack = name, Kind = DeploymentKind.Deploy, Images = System.Collections.Immutable.ImmutableSortedDictionary<string, string>.Empty.Add("app", Garden.Image("2.0.0")) });
        using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(2));
        Deployment? ended = null;
        await foreach (var happened in daemon.Deployments.WatchAsync(id, limit.Token))
        {
            clock.Offset = clock.Offset <= TimeSpan.Zero ? TimeSpan.FromDays(2) : TimeSpan.FromDays(-2);
            ended = happened.Deployment;
        }

        Assert.That(ended?.State, Is.EqualTo(DeploymentState.Succeeded), ended?.Failure?.ToString());
        Assert.That(TimeProvider.System.GetElapsedTime(since), Is.LessThan(TimeSpan.FromMinutes(2)), "no wait became days long");
        Assert.That((await daemon.GetAsync($"{name}.example", "/version")).Version, Is.EqualTo("2.0.0"));
    }

    [Test]
    public async Task A_clock_that_jumps_ahead_ends_the_warm_time_and_one_that_jumps_back_lengthens_it_and_the_way_back_is_open_both_times()
    {
        var clock = new SettableClock();
        await using var daemon = await TestDaemon.StartAsync(time: clock);
        var name = TestDaemon.NewName();
        foreach (var tag in new[] { "1.0.0", "2.0.0" })
            Assert.That((await daemon.ApplyAsync(Garden.Light(name, tag, $"{name}.example", basMalin: "warm: 10m"))).State, Is.EqualTo(DeploymentState.Succeeded));

        clock.Offset = TimeSpan.FromDays(-1);
        var swapped = await daemon.RollbackAsync(name, to: 1);
        Assert.That((swapped.State, swapped.Plan?.WarmSwap), Is.EqualTo((DeploymentState.Succeeded, true)), swapped.Failure?.ToString());

        clock.Offset = TimeSpan.FromDays(1);
        await daemon.SweepAsync(name);
        Assert.That((await daemon.StateAsync(name)).Warm, Is.Null, "its end has passed");
        var made = await daemon.RollbackAsync(name, to: 2);
        Assert.That((made.State, made.Plan?.WarmSwap), Is.EqualTo((DeploymentState.Succeeded, false)), made.Failure?.ToString());
        Assert.That((await daemon.GetAsync($"{name}.example", "/version")).Version, Is.EqualTo("2.0.0"));
    }
}
