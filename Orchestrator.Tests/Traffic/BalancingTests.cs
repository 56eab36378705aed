using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Time.Testing;
using Orchestrator.Traffic;

namespace Orchestrator.Tests.Traffic;

[TestFixture]
public sealed class BalancingTests
{
    /// <summary>What each connection brings, request by request; after the first answer it is reset as soon as another request comes.</summary>
    [TestCase("GET", false)]
    [TestCase("DELETE", false)]
    [TestCase("GET", true)]
    public async Task A_request_on_an_idle_connection_that_the_replica_resets_is_sent_again(string method, bool alone)
    {
        await using var fickle = new FickleReplica();
        await using var alive = await Backend.StartAsync("alive");
        await using var bed = await EdgeBed.StartAsync();
        var upstream = new Upstream(new UpstreamIdentity("garden", "app", "blue", 1), alone ? [fickle.Address] : [fickle.Address, alive.Address], bed.Time);
        if (!alone)
            upstream.SetAvailable(alive.Host, false);
        bed.Publish(upstream);

        for (var i = 0; i < 10; i++)
        {
            using var request = new HttpRequestMessage(new HttpMethod(method), "/");
            using var answer = await bed.Client.SendAsync(request);
            Assert.That(answer.StatusCode, Is.EqualTo(HttpStatusCode.OK));
        }

        Assert.That(fickle.Resets, Is.GreaterThan(0), "or nothing was tried");
        Assert.That(upstream.Traffic.Snapshot() is { Total: 10, Failed: 0 }, Is.True);
    }

    [Test]
    public async Task A_replica_that_breaks_everything_off_is_left_alone_and_nobody_asks_it_in_vain_for_long()
    {
        await using var fickle = new FickleReplica { Breaks = true };
        await using var alive = await Backend.StartAsync("alive");
        await using var bed = await EdgeBed.StartAsync();
        bed.Publish(new Upstream(new UpstreamIdentity("garden", "app", "blue", 1), [fickle.Address, alive.Address], bed.Time));

        for (var i = 0; i < 60; i++)
            Assert.That(await bed.Client.GetStringAsync("/"), Is.EqualTo("alive"), "a GET is asked again elsewhere");

        Assert.That(await bed.MetricsTextAsync(), Does.Contain("basmalin_edge_ejections_total{stack=\"garden\",service=\"app\"} 1"));
        Assert.That(fickle.Requests, Is.InRange(5, 12), "five in a row, and a trial now and then");
    }

    [Test]
    public async Task A_replica_that_broke_everything_off_has_its_share_again_once_it_answers()
    {
        await using var fickle = new FickleReplica { Breaks = true };
        await using var alive = await Backend.StartAsync("alive");
        await using var bed = await EdgeBed.StartAsync();
        bed.Publish(new Upstream(new UpstreamIdentity("garden", "app", "blue", 1), [fickle.Address, alive.Address], bed.Time));
        for (var i = 0; i < 30; i++)
            await bed.Client.GetStringAsync("/");
        Assert.That(await bed.MetricsTextAsync(), Does.Contain("basmalin_edge_ejections_total{stack=\"garden\",service=\"app\"} 1"));

        fickle.Mend();
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        while (await bed.Client.GetStringAsync("/", limit.Token) != "ok")
            await Task.Yield();

        var answers = new List<string>();
        for (var i = 0; i < 60; i++)
            answers.Add(await bed.Client.GetStringAsync("/"));

        // Half of them, within four standard deviations.
        Assert.That(answers.Count(answer => answer == "ok"), Is.InRange(15, 45));
        Assert.That(await bed.MetricsTextAsync(), Does.Contain("basmalin_edge_ejections_total{stack=\"garden\",service=\"app\"} 1"), "once, and not again");
    }

    [Test]
    public async Task A_replica_may_have_an_address_of_IPv6()
    {
        await using var six = await Backend.StartAsync("six", "::1");
        await using var bed = await EdgeBed.StartAsync();
        bed.Publish(bed.Upstream("blue", six));

        Assert.That(await bed.Client.GetStringAsync("/"), Is.EqualTo("six"));
    }

    [Test]
    public void Many_replicas_are_balanced_by_the_better_of_two()
    {
        var time = new FakeTimeProvider();
        var upstream = new Upstream(
            new UpstreamIdentity("garden", "app", "blue", 1), [.. Enumerable.Range(0, 20).Select(number => new ReplicaAddress($"{number}", "127.0.0.1"))], time);

        for (var i = 0; i < 2000; i++)
            Assert.That(upstream.TryLease(out _), Is.True);

        // 100 each if it were perfect; at random the busiest of twenty would have about 120.
        var busiest = upstream.InFlightByReplica.Max();
        Assert.That((upstream.InFlightByReplica.Sum(), busiest), Is.EqualTo((2000, busiest)));
        Assert.That(busiest, Is.InRange(100, 106));
    }

    [Test]
    public void Among_many_replicas_one_out_of_rotation_gets_nothing()
    {
        var upstream = new Upstream(
            new UpstreamIdentity("garden", "app", "blue", 1), [.. Enumerable.Range(0, 20).Select(number => new ReplicaAddress($"{number}", "127.0.0.1"))], TimeProvider.System);
        for (var i = 0; i < 19; i++)
            upstream.SetAvailable($"{i}", false);

        for (var i = 0; i < 50; i++)
            Assert.That(upstream.TryLease(out _), Is.True);

        Assert.That(upstream.InFlightByReplica, Is.EqualTo(Enumerable.Repeat(0, 19).Append(50)));
    }

    /// <summary>Answers the first request of each connection and resets it at the second, as a server does that closed it as idle a moment ago.</summary>
    private sealed class FickleReplica : IAsyncDisposable
    {
        private readonly TcpListener _listener;
        private readonly CancellationTokenSource _stopping = new();
        private readonly Task _accepting;
        private int _resets;
        private int _requests;
        private bool _mended;

        public FickleReplica()
        {
            Address = new ReplicaAddress("fickle", Backend.FreshHost());
            _listener = new TcpListener(IPAddress.Parse(Address.Host), Backend.Port);
            _listener.Start();
            _accepting = AcceptAsync();
        }

        /// <summary>Resets every connection at its first request already.</summary>
        public bool Breaks { get; init; }

        public ReplicaAddress Address { get; }

        /// <summary>From now on it answers everything.</summary>
        public void Mend() => Volatile.Write(ref _mended, true);

        public int Resets => Volatile.Read(ref _resets);

        public int Requests => Volatile.Read(ref _requests);

        public async ValueTask DisposeAsync()
        {
            await _stopping.CancelAsync();
            _listener.Stop();
            await _accepting;
            _stopping.Dispose();
        }

        private async Task AcceptAsync()
        {
            var serving = new List<Task>();
            try
            {
                while (true)
                    serving.Add(ServeAsync(await _listener.AcceptSocketAsync(_stopping.Token)));
            }
            catch (OperationCanceledException)
            {
                await Task.WhenAll(serving);
            }
        }

        private async Task ServeAsync(Socket socket)
        {
            using (socket)
            {
                var buffer = new byte[16 * 1024];
                try
                {
                    for (var number = 0; await socket.ReceiveAsync(buffer, _stopping.Token) > 0; number++)
                    {
                        Interlocked.Increment(ref _requests);
                        if (Volatile.Read(ref _mended) || (number == 0 && !Breaks))
                        {
                            await socket.SendAsync("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"u8.ToArray(), _stopping.Token);
                            continue;
                        }

                        Interlocked.Increment(ref _resets);
                        socket.LingerState = new LingerOption(true, 0);
                        return;
                    }
                }
                catch (OperationCanceledException) when (_stopping.IsCancellationRequested)
                {
                    socket.Close();
                }
            }
        }
    }
}
