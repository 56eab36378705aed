using Microsoft.Extensions.Time.Testing;
using Orchestrator.Agent.StatusPage;
using Orchestrator.Traffic;

namespace Orchestrator.Tests.StatusPage;

public sealed class TrafficPulseTests
{
    private readonly FakeTimeProvider _time = new();
    private TrafficRouter _router;
    private TrafficPulse _pulse;

    [SetUp]
    public void SetUp()
    {
        _router = Pulses.Router();
        _pulse = new TrafficPulse(_router, _time);
    }

    [Test]
    public void A_point_is_what_came_in_its_interval_alone()
    {
        var blue = Upstream("blue");
        Publish(blue);
        Record(blue, 10, 2, TimeSpan.FromMilliseconds(100));
        Sample();
        Record(blue, 4, 0, TimeSpan.FromMilliseconds(2));
        Sample();

        var points = _pulse.PointsOf("garden", 0);
        Assert.Multiple(() =>
        {
            Assert.That(points.Select(point => point.Requests), Is.EqualTo(new[] { 5.0, 2.0 }));
            Assert.That(points.Select(point => point.Failed), Is.EqualTo(new[] { 1.0, 0.0 }));
            Assert.That(points[0].P95, Is.EqualTo(100).Within(7));
            Assert.That(points[1].P95, Is.EqualTo(2).Within(0.2));
            Assert.That(_pulse.TotalsOf("garden"), Is.EqualTo(new TrafficTotals(14, 2, DateTimeOffset.UnixEpoch.AddYears(30))));
        });
    }

    [Test]
    public void Over_a_switch_nothing_is_lost_and_nothing_counted_twice()
    {
        var (blue, green) = (Upstream("blue"), Upstream("green"));
        Publish(blue);
        Record(blue, 5, 0, null);
        Sample();
        Assert.That(blue.TryLease(out var late), Is.True);
        Publish(green);
        Record(blue, 1, 0, null);
        Record(green, 3, 0, null);
        Sample();
        Record(blue, 1, 0, null);
        late.Dispose();
        Sample();
        Sample();

        Assert.That(_pulse.TotalsOf("garden")!.Total, Is.EqualTo(10));
    }

    [Test]
    public void Ten_minutes_are_kept_and_only_newer_points_are_given()
    {
        Publish(Upstream("blue"));
        for (var i = 0; i < TrafficPulse.Kept + 10; i++) Sample();

        var all = _pulse.PointsOf("garden", 0);
        Assert.That(all, Has.Length.EqualTo(TrafficPulse.Kept));
        Assert.That(_pulse.PointsOf("garden", all[^3].At), Has.Length.EqualTo(2));
        Assert.That(_pulse.PointsOf("unknown", 0), Is.Empty);
    }

    private Upstream Upstream(string colour) => new(new("garden", "app", colour, 1), [new("id", "127.0.0.1")], _time);

    private void Publish(Upstream upstream) =>
        _router.Publish(new("garden", [new() { Stack = "garden", Service = "app", Host = "*", TargetPort = 80, Upstream = upstream }], [], false));

    private void Sample()
    {
        _time.Advance(TrafficPulse.Interval);
        _pulse.Sample();
    }

    private static void Record(Upstream upstream, int total, int failed, TimeSpan? took)
    {
        for (var i = 0; i < total; i++) upstream.Traffic.Record(i < failed, took);
    }
}
