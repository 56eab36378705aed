using System.Net;
using Microsoft.Extensions.Time.Testing;
using Orchestrator.Traffic;
using Orchestrator.Traffic.Requests;

namespace Orchestrator.Tests.Traffic;

[TestFixture]
public sealed class HoldTests
{
    [Test]
    public async Task A_request_is_held_until_a_replica_comes_back()
    {
        await using var blue = await Backend.StartAsync("blue");
        await using var bed = await EdgeBed.StartAsync();
        var upstream = bed.Upstream("blue", blue);
        upstream.SetAvailable(blue.Host, false);
        bed.Publish(upstream);
        var held = bed.Client.GetStringAsync("/");
        await bed.HeldAsync(1);

        upstream.SetAvailable(blue.Host, true);

        Assert.That(await held, Is.EqualTo("blue"));
        await bed.HeldAsync(0);
        Assert.That(await bed.MetricsTextAsync(), Does.Match("basmalin_edge_holds_total{[^}]*} [1-9]"));
    }

    [Test]
    public async Task Requests_that_wait_for_a_replica_that_is_tried_again_and_again_leave_nothing_behind_where_they_wait()
    {
        const int Many = 40;
        await using var bed = await EdgeBed.StartAsync(new EdgeOptions { HoldFor = TimeSpan.FromSeconds(4) });
        var upstream = new Upstream(new UpstreamIdentity("garden", "app", "blue", 1), [new ReplicaAddress("gone", Backend.FreshHost())], bed.Time);
        bed.Publish(upstream);

        var held = Enumerable.Range(0, Many).Select(_ => bed.Client.GetAsync("/")).ToList();
        await bed.HeldAsync(Many);
        var most = 0;
        while (held.Any(request => !request.IsCompleted))
        {
            // Each looks several times meanwhile: whenever the replica may be tried again.
            most = Math.Max(most, Math.Max(bed.Router.Moved.Waiting, upstream.Changed.Waiting));
            await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System);
        }

        await bed.HeldAsync(0);
        Assert.That(most, Is.InRange(1, Many));
        Assert.That((bed.Router.Moved.Waiting, upstream.Changed.Waiting), Is.EqualTo((0, 0)));
        foreach (var request in held) Assert.That((int)(await request).StatusCode, Is.InRange(502, 504));
    }

    [Test]
    public async Task A_held_request_goes_where_a_new_table_sends_it()
    {
        await using var green = await Backend.StartAsync("green");
        await using var bed = await EdgeBed.StartAsync();
        bed.Publish(bed.Upstream("blue"));
        var held = bed.Client.GetStringAsync("/");
        await bed.HeldAsync(1);

        bed.Publish(bed.Upstream("green", green));

        Assert.That(await held, Is.EqualTo("green"));
    }

    [Test]
    public async Task A_request_that_finds_its_upstream_drained_waits_for_the_next_table()
    {
        await using var blue = await Backend.StartAsync("blue");
        await using var green = await Backend.StartAsync("green");
        await using var bed = await EdgeBed.StartAsync();
        var upstream = bed.Upstream("blue", blue);
        bed.Publish(upstream);
        await upstream.DrainAsync(EdgeBed.Patient, CancellationToken.None);
        var held = bed.Client.GetStringAsync("/");
        await bed.HeldAsync(1);

        bed.Publish(bed.Upstream("green", green));

        Assert.That(await held, Is.EqualTo("green"));
    }

    [Test]
    public async Task A_held_request_is_let_go_when_its_client_leaves()
    {
        await using var bed = await EdgeBed.StartAsync();
        var upstream = bed.Upstream("blue");
        bed.Publish(upstream);
        using var leaving = new CancellationTokenSource();
        var held = bed.Client.GetStringAsync("/", leaving.Token);
        await bed.HeldAsync(1);

        await leaving.CancelAsync();

        Assert.That(async () => await held, Throws.InstanceOf<OperationCanceledException>());
        await bed.HeldAsync(0);
        Assert.That(upstream.Traffic.Snapshot().Failed, Is.Zero);
    }

    [Test]
    public async Task Who_waited_long_enough_gets_503()
    {
        var time = new FakeTimeProvider();
        await using var bed = await EdgeBed.StartAsync(new EdgeOptions(), time, intercept: null);
        var upstream = bed.Upstream("blue");
        bed.Publish(upstream);
        var held = bed.Client.GetAsync("/");
        await bed.HeldAsync(1);

        // It is counted just before it looks at the clock: whichever came first, it has waited long enough after the second turn.
        for (; !held.IsCompleted; await Task.Yield())
            time.Advance(TimeSpan.FromSeconds(30));

        using var answer = await held;
        Assert.That(answer.StatusCode, Is.EqualTo(HttpStatusCode.ServiceUnavailable));
        Assert.That(answer.Headers.RetryAfter?.Delta, Is.EqualTo(TimeSpan.FromSeconds(5)));
        Assert.That(upstream.Traffic.Snapshot() is { Total: 1, Failed: 1 }, Is.True);
    }

    [Test]
    public async Task A_request_that_waits_for_a_replica_does_not_keep_an_edge_that_ends()
    {
        await using var bed = await EdgeBed.StartAsync(new EdgeOptions { HoldFor = TimeSpan.FromHours(1) });
        bed.Publish(bed.Upstream("blue"));
        var held = bed.Client.GetAsync("/");
        await bed.HeldAsync(1);

        await bed.Edge.StopAsync(TimeSpan.FromHours(1));

        using var answer = await held;
        Assert.That(answer.StatusCode, Is.EqualTo(HttpStatusCode.ServiceUnavailable));
        Assert.That(answer.Headers.RetryAfter, Is.Not.Null);
        await bed.HeldAsync(0);
    }

    [Test]
    public async Task Beyond_the_limit_nobody_waits()
    {
        await using var blue = await Backend.StartAsync("blue");
        await using var bed = await EdgeBed.StartAsync(new EdgeOptions { HoldLimit = 2 });
        bed.Publish(bed.Upstream("blue"));
        var held = new[] { bed.Client.GetStringAsync("/"), bed.Client.GetStringAsync("/") };
        await bed.HeldAsync(2);

        using var third = await bed.Client.GetAsync("/");
        Assert.That(third.StatusCode, Is.EqualTo(HttpStatusCode.ServiceUnavailable));
        bed.Publish(bed.Upstream("blue", blue));
        Assert.That(await Task.WhenAll(held), Is.All.EqualTo("blue"));
    }

    [Test]
    public async Task A_held_body_arrives_whole()
    {
        await using var blue = await Backend.StartAsync("blue");
        await using var bed = await EdgeBed.StartAsync();
        bed.Publish(bed.Upstream("blue"));
        var body = Backend.Bytes(5_000_000);
        var held = bed.Client.PostAsync("/api/echo", new ByteArrayContent(body));
        await bed.HeldAsync(1);
        bed.Publish(bed.Upstream("blue", blue));

        using var answer = await held;
        Assert.That(await answer.Content.ReadAsStringAsync(), Does.Contain(Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(body))));
    }

    [Test]
    public async Task A_route_that_is_taken_away_lets_its_held_requests_go()
    {
        await using var bed = await EdgeBed.StartAsync();
        bed.Publish(bed.Upstream("blue"));
        var held = bed.Client.GetAsync("/");
        await bed.HeldAsync(1);

        bed.Router.Remove("garden");

        using var answer = await held;
        Assert.That(answer.StatusCode, Is.EqualTo(HttpStatusCode.NotFound));
    }

    [Test]
    public async Task Held_bodies_count_as_what_the_server_may_have_read_of_them()
    {
        await using var blue = await Backend.StartAsync("blue");
        await using var bed = await EdgeBed.StartAsync(new EdgeOptions { HoldBytes = 1_500_000 });
        bed.Publish(bed.Upstream("blue"));
        var held = bed.Client.PostAsync("/api/echo", new ByteArrayContent(Backend.Bytes(1_000_000)));
        await bed.HeldAsync(1);

        using var second = await bed.Client.PostAsync("/api/echo", new ByteArrayContent(Backend.Bytes(1_000_000)));
        var small = bed.Client.GetStringAsync("/");
        await bed.HeldAsync(2);
        bed.Publish(bed.Upstream("blue", blue));

        using var first = await held;
        Assert.That((first.StatusCode, second.StatusCode, await small), Is.EqualTo((HttpStatusCode.OK, HttpStatusCode.ServiceUnavailable, "blue")));
    }

    [TestCase("GET", false)]
    [TestCase("POST", true)]
    public async Task What_cannot_connect_goes_to_the_next_replica(string method, bool body)
    {
        await using var alive = await Backend.StartAsync("alive");
        await using var bed = await EdgeBed.StartAsync();
        var upstream = new Upstream(
            new UpstreamIdentity("garden", "app", "blue", 1), [new ReplicaAddress("dead", Backend.FreshHost()), alive.Address], bed.Time);
        bed.Publish(upstream);
        for (var i = 0; i < 20; i++)
        {
            using var request = new HttpRequestMessage(new HttpMethod(method), body ? "/api/echo" : "/") { Content = body ? new ByteArrayContent(Backend.Bytes(100_000)) : null };
            using var answer = await bed.Client.SendAsync(request);
            Assert.That(answer.StatusCode, Is.EqualTo(HttpStatusCode.OK));
        }

        Assert.That(alive.Requests, Is.EqualTo(20));
        Assert.That(upstream.Traffic.Snapshot() is { Total: 20, Failed: 0 }, Is.True);
        Assert.That(await bed.MetricsTextAsync(), Does.Match("basmalin_edge_retries_total{[^}]*} [1-9]"));
    }

    [TestCase(false)]
    [TestCase(true)]
    public async Task A_replica_that_does_not_accept_in_time_is_passed_over(bool byRoute)
    {
        // A full backlog: connections are neither accepted nor refused, as on a host that is gone.
        using var deaf = new System.Net.Sockets.Socket(System.Net.Sockets.SocketType.Stream, System.Net.Sockets.ProtocolType.Tcp);
        var host = Backend.FreshHost();
        deaf.Bind(new IPEndPoint(IPAddress.Parse(host), Backend.Port));
        deaf.Listen(0);
        using var filler = new System.Net.Sockets.Socket(System.Net.Sockets.SocketType.Stream, System.Net.Sockets.ProtocolType.Tcp);
        await filler.ConnectAsync(host, Backend.Port);
        await using var alive = await Backend.StartAsync("alive");
        var brief = TimeSpan.FromMilliseconds(200);
        await using var bed = await EdgeBed.StartAsync(new EdgeOptions { ConnectTimeout = byRoute ? TimeSpan.FromHours(1) : brief });
        var upstream = new Upstream(new UpstreamIdentity("garden", "app", "blue", 1), [new ReplicaAddress("deaf", host), alive.Address], bed.Time);
        bed.Publish(upstream, new RoutePolicy { Timeouts = byRoute ? new PhaseTimeouts(brief, null, null) : null });

        for (var i = 0; i < 10; i++)
            Assert.That(await bed.Client.GetStringAsync("/"), Is.EqualTo("alive"));
    }

    [Test]
    public async Task Requests_survive_the_restart_of_the_only_replica()
    {
        await using var bed = await EdgeBed.StartAsync();
        var host = Backend.FreshHost();
        var first = await Backend.StartAsync("first", host);
        var upstream = bed.Upstream("blue", first);
        bed.Publish(upstream);
        Assert.That(await bed.Client.GetStringAsync("/"), Is.EqualTo("first"));
        await first.DisposeAsync();
        var during = bed.Client.GetStringAsync("/");
        await bed.HeldAsync(1);

        await using var second = await Backend.StartAsync("second", host);

        Assert.That(await during, Is.EqualTo("second"));
        Assert.That(upstream.Traffic.Snapshot().Failed, Is.Zero);
    }
}
