using System.Net;
using GardenApp.Faults;
using Microsoft.Extensions.Time.Testing;

namespace Orchestrator.Tests.GardenApp;

public sealed class FaultTests
{
    [TestCase(0, 0)]
    [TestCase(0.1, 100)]
    [TestCase(0.333, 333)]
    [TestCase(0.5, 500)]
    [TestCase(1, 1000)]
    public void An_error_ratio_is_exact(double ratio, int errors)
    {
        var clock = new FaultClock(new FaultSettings { ErrorRatio = ratio }, TimeProvider.System);
        Assert.That(Enumerable.Range(0, 1000).Count(_ => clock.NextRequestFails()), Is.EqualTo(errors));
    }

    [Test]
    public void Going_bad_is_counted_from_the_first_request_not_from_the_start()
    {
        var time = new FakeTimeProvider();
        var clock = new FaultClock(new FaultSettings { FailAfter = TimeSpan.FromSeconds(3) }, time);
        time.Advance(TimeSpan.FromHours(1));
        Assert.That(clock.HasFailed, Is.False);
        clock.RequestSeen();
        time.Advance(TimeSpan.FromSeconds(2.9));
        clock.RequestSeen();
        Assert.That(clock.HasFailed, Is.False);
        time.Advance(TimeSpan.FromSeconds(0.2));
        Assert.That(clock.HasFailed, Is.True);
    }

    [Test]
    public async Task Never_healthy_is_unhealthy_and_serves()
    {
        await using var garden = await RunningGarden.StartBareAsync(("GARDEN_FAULT_NEVER_HEALTHY", "true"));
        Assert.That(await StatusesAsync(garden), Is.EqualTo((HttpStatusCode.ServiceUnavailable, HttpStatusCode.OK, HttpStatusCode.OK)));
    }

    [Test]
    public async Task A_broken_path_fails_and_health_does_not_notice()
    {
        await using var garden = await RunningGarden.StartBareAsync(("GARDEN_FAULT_BROKEN_PATH", "/api/gardens"));
        Assert.That(await StatusesAsync(garden), Is.EqualTo((HttpStatusCode.OK, HttpStatusCode.InternalServerError, HttpStatusCode.OK)));
    }

    [Test]
    public async Task Once_it_has_gone_bad_everything_fails_but_the_question_whether_it_lives()
    {
        await using var garden = await RunningGarden.StartBareAsync(("GARDEN_FAULT_FAIL_AFTER_SECONDS", "0"));
        Assert.That((string?)(await garden.HealthAsync())["status"], Is.EqualTo("healthy"), "nothing but probes so far");
        using var first = await garden.Client.GetAsync("/api/gardens");
        Assert.That(await StatusesAsync(garden), Is.EqualTo((HttpStatusCode.ServiceUnavailable, HttpStatusCode.InternalServerError, HttpStatusCode.OK)));
    }

    [Test]
    public async Task Latency_is_added_to_requests_and_not_to_probes()
    {
        await using var garden = await RunningGarden.StartBareAsync(("GARDEN_FAULT_LATENCY_MS", "700"));
        using var first = await garden.Client.GetAsync("/version");
        var watch = System.Diagnostics.Stopwatch.StartNew();
        using var probe = await garden.Client.GetAsync("/version");
        var probed = watch.Elapsed;
        using var request = await garden.Client.GetAsync("/api/slow?ms=0");
        Assert.That(watch.Elapsed - probed, Is.GreaterThanOrEqualTo(TimeSpan.FromMilliseconds(690)));
        Assert.That(probed, Is.LessThan(TimeSpan.FromMilliseconds(690)));
    }

    private static async Task<(HttpStatusCode Health, HttpStatusCode Gardens, HttpStatusCode Up)> StatusesAsync(RunningGarden garden)
    {
        using var health = await garden.Client.GetAsync("/api/health");
        using var gardens = await garden.Client.GetAsync("/api/gardens");
        using var up = await garden.Client.GetAsync("/up");
        return (health.StatusCode, gardens.StatusCode, up.StatusCode);
    }
}
