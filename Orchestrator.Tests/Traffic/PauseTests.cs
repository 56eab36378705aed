using System.Net;
using Microsoft.Extensions.Time.Testing;
using Orchestrator.Traffic;

namespace Orchestrator.Tests.Traffic;

[TestFixture]
public sealed class PauseTests
{
    [Test]
    public async Task Requests_of_a_paused_service_wait_until_it_is_resumed()
    {
        await using var blue = await Backend.StartAsync("blue");
        await using var bed = await EdgeBed.StartAsync();
        bed.Publish(bed.Upstream("blue", blue));
        Assert.That(bed.Router.Pause("garden", "app", TimeSpan.FromMinutes(1)), Is.Not.Null);
        var held = Enumerable.Range(0, 5).Select(_ => bed.Client.GetStringAsync("/")).ToList();
        await bed.HeldAsync(5);
        Assert.That(blue.Requests, Is.Zero);

        Assert.That(bed.Router.Resume("garden", "app"), Is.True);

        Assert.That(await Task.WhenAll(held), Is.All.EqualTo("blue"));
        Assert.That((bed.Router.Resume("garden", "app"), bed.Router.PausedUntil("garden", "app")), Is.EqualTo((false, (DateTimeOffset?)null)));
    }

    [Test]
    public async Task A_pause_ends_by_itself()
    {
        var time = new FakeTimeProvider();
        await using var blue = await Backend.StartAsync("blue");
        await using var bed = await EdgeBed.StartAsync(new EdgeOptions(), time, intercept: null);
        bed.Publish(bed.Upstream("blue", blue));
        var until = bed.Router.Pause("garden", "app", TimeSpan.FromSeconds(10));
        var held = bed.Client.GetStringAsync("/");
        await bed.HeldAsync(1);
        Assert.That((until, bed.Router.PausedUntil("garden", "app")), Is.EqualTo((time.GetUtcNow() + TimeSpan.FromSeconds(10), until)));

        // It is counted just before it looks at the clock: whichever came first, the pause is over.
        for (; !held.IsCompleted; await Task.Yield())
            time.Advance(TimeSpan.FromSeconds(5));

        Assert.That(await held, Is.EqualTo("blue"));
    }

    [Test]
    public async Task A_pause_holds_across_a_swap_and_what_waited_goes_to_the_new_colour()
    {
        await using var blue = await Backend.StartAsync("blue");
        await using var green = await Backend.StartAsync("green");
        await using var bed = await EdgeBed.StartAsync();
        bed.Publish(bed.Upstream("blue", blue));
        bed.Router.Pause("garden", "app", TimeSpan.FromMinutes(1));
        var held = bed.Client.GetStringAsync("/");
        await bed.HeldAsync(1);
        bed.Publish(bed.Upstream("green", green));
        Assert.That(held.IsCompleted, Is.False);

        bed.Router.Resume("garden", "app");

        Assert.That(await held, Is.EqualTo("green"));
    }

    [Test]
    public async Task The_health_path_is_answered_meanwhile()
    {
        await using var blue = await Backend.StartAsync("blue");
        await using var bed = await EdgeBed.StartAsync();
        var route = EdgeBed.RouteTo(bed.Upstream("blue", blue)) with { HealthPath = "/up" };
        bed.Router.Publish(new StackRoutes("garden", [route], [], false));
        bed.Router.Pause("garden", "app", TimeSpan.FromMinutes(1));

        using var health = await bed.Client.GetAsync("/up?full");
        using var posted = new HttpRequestMessage(HttpMethod.Post, "/up");
        using var leaving = new CancellationTokenSource();
        var other = bed.Client.SendAsync(posted, leaving.Token);

        Assert.That((health.StatusCode, blue.Requests), Is.EqualTo((HttpStatusCode.OK, 0)));
        await bed.HeldAsync(1);
        await leaving.CancelAsync();
        Assert.That(async () => await other, Throws.InstanceOf<OperationCanceledException>());
    }

    [Test]
    public async Task What_is_unknown_cannot_be_paused()
    {
        await using var bed = await EdgeBed.StartAsync();

        Assert.That((bed.Router.Pause("garden", "app", TimeSpan.FromMinutes(1)), bed.Router.PausedUntil("garden", "app")), Is.EqualTo(((DateTimeOffset?)null, (DateTimeOffset?)null)));
    }
}
