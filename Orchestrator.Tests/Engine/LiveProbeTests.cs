using Orchestrator.Deployments;
using Orchestrator.Tests.Load;

namespace Orchestrator.Tests.Engine;

/// <summary>Replicas that go bad long after their deployment.</summary>
internal sealed class LiveProbeTests
{
    private const string Probing = "probe: { every: 1s, failures: 2 }";

    /// <summary>SIGSTOP: the engine calls it running, connections are accepted by the kernel, and nothing ever answers.</summary>
    [Test]
    public async Task A_replica_that_hangs_leaves_the_rotation_and_comes_back_when_it_answers()
    {
        await using var daemon = await TestDaemon.StartAsync();
        var name = TestDaemon.NewName();
        var host = $"{name}.example";
        var first = await daemon.ApplyAsync(Garden.Light(name, "1.0.0", host, basMalin: Probing, replicas: 2));
        Assert.That(first.State, Is.EqualTo(DeploymentState.Succeeded), first.Failure?.ToString());
        var sick = (await daemon.ContainersAsync(name)).First().Id.Value;

        await TestDaemon.DockerAsync($"kill --signal STOP {sick}");
        await AvailableAsync(daemon, name, 1);
        await using (var load = OpenLoopLoad.Start(new() { Address = daemon.Edge, Host = host, Rate = 40, Timeout = TimeSpan.FromSeconds(2) }))
        {
            await load.SeenAsync("1.0.0", Soon());
            Assert.That((await load.StopAsync()).Failed, Is.Zero, "nobody gets to the replica that hangs");
        }

        await TestDaemon.DockerAsync($"kill --signal CONT {sick}");
        await AvailableAsync(daemon, name, 2);
    }

    [Test]
    public async Task A_stack_whose_probe_takes_long_keeps_no_other_from_being_asked()
    {
        await using var daemon = await TestDaemon.StartAsync();
        var (slow, other) = (TestDaemon.NewName(), TestDaemon.NewName());
        foreach (var yaml in new[] { Garden.Light(slow, "1.0.0", $"{slow}.example", basMalin: Probing, replicas: 2).Replace("timeout: 2s", "timeout: 2m", StringComparison.Ordinal), Garden.Light(other, "1.0.0", $"{other}.example", basMalin: Probing, replicas: 2) })
        {
            var applied = await daemon.ApplyAsync(yaml);
            Assert.That(applied.State, Is.EqualTo(DeploymentState.Succeeded), applied.Failure?.ToString());
        }

        // Two failures are counted, one a second at the quickest: the first of these is being asked by then, and has two minutes.
        foreach (var name in new[] { slow, other }) await TestDaemon.DockerAsync($"kill --signal STOP {(await daemon.ContainersAsync(name)).First().Id.Value}");
        await AvailableAsync(daemon, other, 1);
        Assert.That(daemon.Traffic.LiveOf(slow)["app"].Available, Is.EqualTo(2), "its probe has not failed yet");
        foreach (var name in new[] { slow, other }) await TestDaemon.DockerAsync($"kill --signal CONT {(await daemon.ContainersAsync(name)).First().Id.Value}");
    }

    [Test]
    public async Task The_last_replica_stays_whatever_its_probe_says()
    {
        await using var daemon = await TestDaemon.StartAsync();
        var name = TestDaemon.NewName();
        var first = await daemon.ApplyAsync(Garden.Light(name, "1.0.0", $"{name}.example", basMalin: Probing, replicas: 2));
        Assert.That(first.State, Is.EqualTo(DeploymentState.Succeeded), first.Failure?.ToString());

        foreach (var replica in await daemon.ContainersAsync(name)) await TestDaemon.DockerAsync($"kill --signal STOP {replica.Id.Value}");
        await AvailableAsync(daemon, name, 1);
        foreach (var replica in await daemon.ContainersAsync(name)) await TestDaemon.DockerAsync($"kill --signal CONT {replica.Id.Value}");
        await AvailableAsync(daemon, name, 2);
    }

    private static async Task AvailableAsync(TestDaemon daemon, string stack, int count)
    {
        var until = Soon();
        while (daemon.Traffic.LiveOf(stack)["app"].Available != count)
        {
            until.ThrowIfCancellationRequested();
            await Task.Yield();
        }
    }

    private static CancellationToken Soon() => new CancellationTokenSource(TimeSpan.FromSeconds(40)).Token;
}
