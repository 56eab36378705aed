using Microsoft.Extensions.Time.Testing;
using Orchestrator.Traffic;

namespace Orchestrator.Tests.Traffic;

[TestFixture]
public sealed class UpstreamTests
{
    private static readonly DrainBudget Budget = new(TimeSpan.FromSeconds(30), TimeSpan.FromSeconds(60));
    private readonly FakeTimeProvider _time = new();

    [Test]
    public async Task A_drained_upstream_never_reopens()
    {
        var upstream = Upstream("a");
        Assert.That(upstream.TryLease(out var lease), Is.True);
        var drained = upstream.DrainAsync(Budget, CancellationToken.None);

        Assert.That(upstream.TryLease(out _), Is.False);
        lease.Dispose();
        await drained;
        upstream.SetAvailable("a", true);

        Assert.Multiple(() =>
        {
            Assert.That(upstream.TryLease(out _), Is.False);
            Assert.That(upstream.InFlight, Is.Zero);
            Assert.That(upstream.IsClosed, Is.True);
        });
    }

    [Test]
    public async Task A_drain_of_an_idle_upstream_is_over_at_once()
    {
        var report = await Upstream("a").DrainAsync(Budget, CancellationToken.None);

        Assert.That(report, Is.EqualTo(new DrainReport(0, 0, 0, 0, TimeSpan.Zero)));
    }

    [Test]
    public async Task A_drain_waits_for_what_is_under_way_and_reports_it()
    {
        var upstream = Upstream("a", "b");
        var leases = Enumerable.Range(0, 3).Select(_ => Leased(upstream)).ToList();
        var drained = upstream.DrainAsync(Budget, CancellationToken.None);

        foreach (var lease in leases)
        {
            Assert.That(drained.IsCompleted, Is.False);
            lease.Dispose();
        }

        var report = await drained;
        Assert.That((report.HttpCompleted, report.HttpAborted), Is.EqualTo((3, 0)));
    }

    [Test]
    public async Task A_second_drain_has_the_same_outcome()
    {
        var upstream = Upstream("a");
        var lease = Leased(upstream);
        var first = upstream.DrainAsync(Budget, CancellationToken.None);
        var second = upstream.DrainAsync(new DrainBudget(TimeSpan.Zero, TimeSpan.Zero), CancellationToken.None);
        lease.Dispose();

        Assert.That(await second, Is.SameAs(await first));
        Assert.That(await upstream.DrainAsync(Budget, CancellationToken.None), Is.SameAs(await first));
    }

    [Test]
    public async Task What_is_left_at_the_deadline_is_cut_off_and_counted()
    {
        var upstream = Upstream("a");
        var patient = Leased(upstream);
        var late = Leased(upstream);
        using var cut = upstream.HttpDeadlineOf(0).Register(late.Dispose);
        var drained = upstream.DrainAsync(Budget, CancellationToken.None);
        patient.Dispose();

        _time.Advance(Budget.Http - TimeSpan.FromMilliseconds(1));
        Assert.That(upstream.HttpDeadlineOf(0).IsCancellationRequested, Is.False);
        _time.Advance(TimeSpan.FromMilliseconds(1));

        var report = await drained;
        Assert.That((report.HttpCompleted, report.HttpAborted), Is.EqualTo((1, 1)));
    }

    [Test]
    public async Task Whoever_stops_waiting_for_a_drain_does_not_stop_the_drain()
    {
        var upstream = Upstream("a");
        var lease = Leased(upstream);
        using var impatient = new CancellationTokenSource();
        var wait = upstream.DrainAsync(Budget, impatient.Token);
        await impatient.CancelAsync();

        Assert.That(async () => await wait, Throws.InstanceOf<OperationCanceledException>());
        Assert.That(upstream.TryLease(out _), Is.False);
        lease.Dispose();
        Assert.That((await upstream.DrainAsync(Budget, CancellationToken.None)).HttpCompleted, Is.EqualTo(1));
    }

    [Test]
    public async Task A_lease_is_counted_before_the_drain_or_refused_but_never_neither()
    {
        // Fewer spinning clients than cores, as the machine has at least two: one leases, this one drains.
        for (var round = 0; round < 2000; round++)
        {
            var upstream = Upstream("a");
            var drainedAt = 0;
            var leaser = Task.Run(() =>
            {
                var lost = 0;
                while (upstream.TryLease(out var lease))
                {
                    lost += Volatile.Read(ref drainedAt);
                    lease.Dispose();
                }

                return lost;
            });

            await upstream.DrainAsync(Budget, CancellationToken.None);
            Volatile.Write(ref drainedAt, 1);

            Assert.That(await leaser, Is.Zero, "a lease was held after the drain was over");
            Assert.That(upstream.InFlight, Is.Zero);
        }
    }

    [Test]
    public async Task A_replica_that_goes_is_waited_for_and_what_is_under_way_on_the_others_is_left_alone_until_they_go()
    {
        var upstream = Upstream("a", "b");
        Lease[] leases = [Leased(upstream), Leased(upstream)];
        var (going, staying) = leases[0].Replica.Key == "a" ? (leases[0], leases[1]) : (leases[1], leases[0]);
        var renewed = upstream.With([upstream.Replicas[1], new("c", "127.0.0.3")]);
        var letGo = upstream.LetGoAsync(renewed.Replicas, Budget, CancellationToken.None);
        Assert.That((upstream.TryLease(out _), letGo.IsCompleted), Is.EqualTo((false, false)));

        _time.Advance(Budget.Http);
        Assert.That((going.HttpDeadline.IsCancellationRequested, staying.HttpDeadline.IsCancellationRequested), Is.EqualTo((true, false)), "only what is on the replica that goes is cut off");
        going.Dispose();
        var report = await letGo;
        Assert.That((report.HttpCompleted, report.HttpAborted), Is.EqualTo((0, 1)));

        var drained = renewed.DrainAsync(Budget, CancellationToken.None);
        Assert.That(drained.IsCompleted, Is.False, "what stayed is drained with the heir");
        staying.Dispose();
        Assert.That((await drained).HttpCompleted, Is.EqualTo(1));
    }

    [Test]
    public async Task What_has_stayed_through_several_exchanges_ends_when_its_own_replica_goes()
    {
        var first = Upstream("a");
        var lease = Leased(first);
        var second = first.With([.. first.Replicas, new("b", "127.0.0.2")]);
        await first.LetGoAsync(second.Replicas, Budget, CancellationToken.None);
        var third = second.With([second.Replicas[0], new("c", "127.0.0.3")]);
        await second.LetGoAsync(third.Replicas, Budget, CancellationToken.None);

        var fourth = third.With([third.Replicas[1]]);
        var gone = third.LetGoAsync(fourth.Replicas, Budget, CancellationToken.None);
        Assert.That(gone.IsCompleted, Is.False);
        lease.Dispose();
        Assert.That((await gone).HttpCompleted, Is.EqualTo(1));
        Assert.That(Leased(fourth).Replica.Key, Is.EqualTo("c"));
    }

    [Test]
    public async Task Nobody_holds_a_replica_that_was_let_go_however_the_two_race()
    {
        for (var round = 0; round < 1000; round++)
        {
            var upstream = Upstream("a", "b");
            var renewed = upstream.With([upstream.Replicas[1]]);
            var gone = 0;
            var leaser = Task.Run(() =>
            {
                var lost = 0;
                while (upstream.TryLease(out var lease))
                {
                    if (lease.Replica.Key == "a") lost += Volatile.Read(ref gone);
                    lease.Dispose();
                }

                return lost;
            });

            await upstream.LetGoAsync(renewed.Replicas, Budget, CancellationToken.None);
            Volatile.Write(ref gone, 1);
            Assert.That(await leaser, Is.Zero, "a lease was held after its replica was let go");
            Assert.That(upstream.InFlight, Is.Zero);
        }
    }

    [Test]
    public void Requests_go_to_the_least_busy_replica()
    {
        var upstream = Upstream("a", "b", "c");
        var leases = Enumerable.Range(0, 9).Select(_ => Leased(upstream)).ToList();

        Assert.That(leases.GroupBy(lease => lease.Replica.Key).Select(group => group.Count()), Is.EqualTo(new[] { 3, 3, 3 }));
    }

    [Test]
    public void A_replica_out_of_rotation_gets_nothing_until_it_is_put_back()
    {
        var upstream = Upstream("a", "b");
        upstream.SetAvailable("a", false);
        var without = Enumerable.Range(0, 4).Select(_ => Leased(upstream)).ToList();
        upstream.SetAvailable("a", true);

        Assert.That(without.Select(lease => lease.Replica.Key), Is.All.EqualTo("b"));
        Assert.That(Leased(upstream).Replica.Key, Is.EqualTo("a"));
    }

    [Test]
    public void Without_an_available_replica_no_lease_is_given_and_none_is_counted()
    {
        var upstream = Upstream("a");
        upstream.SetAvailable("a", false);

        Assert.That(upstream.TryLease(out _), Is.False);
        Assert.That((upstream.InFlight, upstream.IsClosed), Is.EqualTo((0, false)));
    }

    [Test]
    public void An_unreachable_replica_is_tried_by_one_request_when_its_pause_is_over()
    {
        var upstream = Upstream("a", "b");
        upstream.Unreachable(0);
        Assert.That(Enumerable.Range(0, 4).Select(_ => Leased(upstream).Replica.Key), Is.All.EqualTo("b"));

        _time.Advance(upstream.UntilTrial());

        Assert.That(Leased(upstream).Replica.Key, Is.EqualTo("a"), "the one that is sent to see");
        Assert.That(Enumerable.Range(0, 4).Select(_ => Leased(upstream).Replica.Key), Is.All.EqualTo("b"));
        upstream.Reachable(0);
        Assert.That(Leased(upstream).Replica.Key, Is.EqualTo("a"));
    }

    [Test]
    public void Pauses_of_an_unreachable_replica_grow_to_two_seconds()
    {
        var upstream = Upstream("a");
        upstream.Unreachable(0);
        var pauses = new List<double>();
        for (var i = 0; i < 6; i++)
        {
            pauses.Add(upstream.UntilTrial().TotalMilliseconds);
            _time.Advance(upstream.UntilTrial());
            Leased(upstream).Dispose();
            upstream.Unreachable(0);
        }

        Assert.That(pauses, Is.EqualTo(new[] { 250, 500, 1000, 2000, 2000, 2000 }).Within(1));
    }

    [Test]
    public void Percentiles_are_as_accurate_as_they_say()
    {
        var traffic = new UpstreamTraffic();
        for (var i = 1; i <= 1000; i++)
            traffic.Record(failed: i % 100 == 0, TimeSpan.FromMilliseconds(i));

        var snapshot = traffic.Snapshot();
        Assert.That((snapshot.Total, snapshot.Failed), Is.EqualTo((1000L, 10L)));
        Assert.That(snapshot.P95?.TotalMilliseconds, Is.InRange(950, 950 * 1.07));
    }

    private Upstream Upstream(params ReadOnlySpan<string> keys) =>
        new(new UpstreamIdentity("garden", "app", "blue", 1), [.. keys.ToArray().Select(key => new ReplicaAddress(key, "127.0.0.1"))], _time);

    private static Lease Leased(Upstream upstream) => upstream.TryLease(out var lease) ? lease : throw new InvalidOperationException("refused");
}
