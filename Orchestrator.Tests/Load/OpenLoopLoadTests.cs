using Orchestrator.Tests.Traffic;
using Orchestrator.Traffic;

namespace Orchestrator.Tests.Load;

[TestFixture]
public sealed class OpenLoopLoadTests
{
    [Test]
    public async Task Users_of_all_kinds_notice_nothing_of_swaps_and_drains()
    {
        await using var blue = await Backend.StartAsync("blue");
        await using var green = await Backend.StartAsync("green");
        await using var bed = await EdgeBed.StartAsync();
        var live = bed.Upstream("blue", blue);
        bed.Publish(live);
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        await using var load = OpenLoopLoad.Start(Options(bed) with { WebSocketPath = "/api/ws", EventsPath = "/api/ticks" });
        await load.SeenAsync("blue", limit.Token);

        for (var i = 0; i < 6; i++)
        {
            var (colour, backend) = i % 2 == 0 ? ("green", green) : ("blue", blue);
            var next = bed.Upstream(colour, backend);
            bed.Publish(next);
            var report = await live.DrainAsync(new DrainBudget(TimeSpan.FromSeconds(20), TimeSpan.FromSeconds(1)), CancellationToken.None);
            Assert.That((report.HttpAborted, report.WebSocketsAborted), Is.EqualTo((0, 0)), report.ToString());
            await load.SeenAsync(backend.Version, limit.Token);
            live = next;
        }

        var seen = await load.StopAsync();
        TestContext.Out.WriteLine(seen);
        Assert.That(seen.Failed, Is.Zero, seen.ToString());
        Assert.That(seen.Ok, Is.EqualTo(seen.Sent));
        Assert.That(seen.Versions.Keys, Is.EquivalentTo(new[] { "blue", "green" }));
        Assert.That(seen.WebSocketCloses, Is.Not.Empty.And.All.EqualTo(1012));
        Assert.That(seen.WebSocketMessages, Is.Positive);
        Assert.That((seen.Events > 0, seen.EventStreamsCut), Is.EqualTo((true, 0L)));
    }

    [Test]
    public async Task Failures_are_counted_and_described()
    {
        await using var blue = await Backend.StartAsync("blue");
        await using var bed = await EdgeBed.StartAsync();
        bed.Publish(bed.Upstream("blue", blue));
        await using var load = OpenLoopLoad.Start(Options(bed) with { GetPath = "/status/500", Mix = new LoadMix(1, 1, 1, 0), PostPath = "/status/200" });
        while (load.Report() is { Failed: < 30 })
            await Task.Delay(TimeSpan.FromMilliseconds(10), TimeProvider.System, CancellationToken.None);

        var seen = await load.StopAsync();
        Assert.That((seen.Ok, seen.Failed), Is.EqualTo((0L, seen.Sent)));
        Assert.That(seen.Failures, Has.Length.EqualTo(20).And.Some.Contains("KeepAlive /status/500: 500 from blue").And.Some.Contains("Post /status/200: 405"));
    }

    [Test]
    public async Task Arrivals_do_not_wait_for_answers_and_latency_counts_from_the_intended_start()
    {
        await using var blue = await Backend.StartAsync("blue");
        await using var bed = await EdgeBed.StartAsync();
        bed.Publish(bed.Upstream("blue", blue));
        await using var load = OpenLoopLoad.Start(Options(bed) with { GetPath = "/gate", Mix = new LoadMix(1, 0, 0, 0) });
        while (load.Report() is { Sent: < 50 })
            await Task.Delay(TimeSpan.FromMilliseconds(10), TimeProvider.System, CancellationToken.None);

        Assert.That(load.Report().Ok, Is.Zero);
        blue.Gate.SetResult();
        var seen = await load.StopAsync();
        Assert.That(seen.Ok, Is.EqualTo(seen.Sent));
        Assert.That(seen.Milliseconds.Max, Is.GreaterThan(400));
    }

    private static LoadOptions Options(EdgeBed bed) => new() { Address = bed.Address, GetPath = "/", SlowPath = "/api/slow?ms=300", Rate = 100 };
}
