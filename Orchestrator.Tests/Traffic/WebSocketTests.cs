using System.Net.WebSockets;
using CsCheck;
using Orchestrator.Traffic;

namespace Orchestrator.Tests.Traffic;

[TestFixture]
public sealed class WebSocketTests
{
    private EdgeBed _bed = null!;
    private Backend _blue = null!;
    private Upstream _upstream = null!;

    [SetUp]
    public async Task SetUp()
    {
        _blue = await Backend.StartAsync("blue");
        _bed = await EdgeBed.StartAsync();
        _upstream = _bed.Upstream("blue", _blue);
        _bed.Publish(_upstream);
    }

    [TearDown]
    public async Task TearDown()
    {
        await _bed.DisposeAsync();
        await _blue.DisposeAsync();
    }

    [Test]
    public async Task A_request_for_a_websocket_that_is_not_answered_has_no_more_time_than_others()
    {
        await using var blue = await Backend.StartAsync("blue");
        await using var bed = await EdgeBed.StartAsync();
        var upstream = bed.Upstream("blue", blue);
        bed.Publish(upstream);
        var answer = bed.RawAsync("GET /gate HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, close\r\nUpgrade: websocket\r\n\r\n");
        await blue.Arrived.Task;

        var report = await upstream.DrainAsync(new DrainBudget(TimeSpan.FromMilliseconds(300), TimeSpan.FromMilliseconds(300)), CancellationToken.None);

        Assert.That((report.HttpAborted, upstream.InFlight), Is.EqualTo((1, 0)));
        Assert.That(await answer, Does.StartWith("HTTP/1.1 504"));
    }

    [Test]
    public async Task Messages_of_all_sizes_pass_both_ways()
    {
        using var socket = await ConnectAsync();
        foreach (var size in new[] { 1, 125, 126, 65_535, 65_536, 1_000_000 })
            Assert.That((await EchoAsync(socket, Backend.Bytes(size))).AsSpan().SequenceEqual(Backend.Bytes(size)), Is.True, $"{size} bytes");

        const string gauge = "basmalin_edge_websockets_open{stack=\"garden\",service=\"app\",colour=\"blue\"}";
        Assert.That((_upstream.InFlight, _upstream.WebSockets), Is.EqualTo((1, 1)));
        Assert.That(await _bed.MetricsTextAsync(), Does.Contain($"{gauge} 1\n"));
        await socket.CloseAsync(WebSocketCloseStatus.NormalClosure, "done", CancellationToken.None);
        var report = await _upstream.DrainAsync(EdgeBed.Patient, CancellationToken.None);
        Assert.That((report.WebSocketsAborted, report.HttpAborted), Is.EqualTo((0, 0)));
        Assert.That(await _bed.MetricsTextAsync(), Does.Contain($"{gauge} 0\n"));
        Assert.That(_blue.Closed.Single(), Is.EqualTo(WebSocketCloseStatus.NormalClosure));
        Assert.That(_upstream.Traffic.Snapshot() is { Total: 1, Failed: 0, P95: null }, Is.True);
    }

    [Test]
    public async Task A_drain_closes_with_1012_and_lets_the_old_connection_work_until_then()
    {
        await using var green = await Backend.StartAsync("green");
        using var socket = await ConnectAsync();
        _bed.Publish(_bed.Upstream("green", green));
        var drained = _upstream.DrainAsync(new DrainBudget(TimeSpan.Zero, TimeSpan.FromSeconds(2)), CancellationToken.None);
        Assert.That(await EchoAsync(socket, [1, 2, 3]), Is.EqualTo(new byte[] { 1, 2, 3 }));

        var last = await socket.ReceiveAsync(new byte[10], CancellationToken.None);
        Assert.That((last.MessageType, (int?)socket.CloseStatus), Is.EqualTo((WebSocketMessageType.Close, (int?)1012)));
        await socket.CloseAsync(WebSocketCloseStatus.NormalClosure, null, CancellationToken.None);

        var report = await drained;
        Assert.That((report.WebSocketsClosed, report.WebSocketsAborted, report.HttpAborted), Is.EqualTo((1, 0, 0)));
        Assert.That(report.Took, Is.LessThan(TimeSpan.FromSeconds(5)));
        Assert.That(_blue.Closed.Single(), Is.EqualTo(WebSocketCloseStatus.NormalClosure), "the application has seen the client's close frame");
        using var again = await ConnectAsync();
        Assert.That(await EchoAsync(again, [4]), Is.EqualTo(new byte[] { 4 }));
        Assert.That(green.Requests, Is.EqualTo(1));
    }

    [Test]
    public async Task A_client_has_only_so_many_open_at_once()
    {
        await using var bed = await EdgeBed.StartAsync(new EdgeOptions { Limits = new() { WebSocketsPerClient = 2 } });
        bed.Publish(bed.Upstream("blue", _blue));
        var address = new UriBuilder(bed.Address) { Scheme = "ws", Path = "/api/ws" }.Uri;
        using var first = await OpenAsync(address);
        using var second = await OpenAsync(address);
        using var third = new ClientWebSocket();
        third.Options.CollectHttpResponseDetails = true;

        Assert.That(async () => await third.ConnectAsync(address, CancellationToken.None), Throws.InstanceOf<WebSocketException>());
        Assert.That((int)third.HttpStatusCode, Is.EqualTo(429));
        await first.CloseAsync(WebSocketCloseStatus.NormalClosure, null, CancellationToken.None);

        // The close handshake is over a moment before the connection is.
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        while (!await TryOpenAsync(address))
            limit.Token.ThrowIfCancellationRequested();
    }

    [Test]
    public void Clients_are_counted_by_what_belongs_to_them_and_forgotten_when_they_have_gone()
    {
        var limit = new WebSocketLimit(1);
        var (four, mapped) = (System.Net.IPAddress.Parse("192.0.2.7"), System.Net.IPAddress.Parse("::ffff:192.0.2.7"));
        var (six, neighbour, other) = (System.Net.IPAddress.Parse("2001:db8::1"), System.Net.IPAddress.Parse("2001:db8::ffff:2"), System.Net.IPAddress.Parse("2001:db8:0:1::1"));

        Assert.That(new[] { four, mapped, six, neighbour, other }.Select(limit.TryEnter), Is.EqualTo(new[] { true, false, true, false, true }));
        foreach (var client in new[] { mapped, neighbour, other })
            limit.Leave(client);

        Assert.That(limit.Clients, Is.Zero);
    }

    [Test]
    public async Task Only_clients_of_the_replica_that_goes_are_asked_to_come_back_and_the_others_when_theirs_does()
    {
        await using var other = await Backend.StartAsync("blue");
        var both = _bed.Upstream("blue", _blue, other);
        _bed.Publish(both);
        using var going = await ConnectAsync();
        var stays = _blue.Requests == 1 ? other : _blue;
        using var staying = await ConnectAsync();                   // the least busy one: the other
        Assert.That((_blue.Requests, other.Requests), Is.EqualTo((1, 1)));

        var renewed = both.With([stays.Address]);
        _bed.Publish(renewed);
        var brief = new DrainBudget(TimeSpan.Zero, TimeSpan.FromSeconds(2));
        var letGo = both.LetGoAsync(renewed.Replicas, brief, CancellationToken.None);
        await LeaveAsync(going);
        Assert.That((await letGo).WebSocketsClosed, Is.EqualTo(1));
        Assert.That(await EchoAsync(staying, [1, 2, 3]), Is.EqualTo(new byte[] { 1, 2, 3 }), "it noticed nothing");

        var drained = renewed.DrainAsync(brief, CancellationToken.None);
        await LeaveAsync(staying);
        Assert.That((await drained).WebSocketsClosed, Is.EqualTo(1));
    }

    [Test]
    public async Task Close_frames_are_spread_out()
    {
        var sockets = new List<ClientWebSocket>();
        for (var i = 0; i < 5; i++)
            sockets.Add(await ConnectAsync());
        var started = TimeProvider.System.GetTimestamp();
        var drained = _upstream.DrainAsync(new DrainBudget(TimeSpan.Zero, TimeSpan.FromSeconds(3)), CancellationToken.None);

        var times = await Task.WhenAll(sockets.Select(async socket =>
        {
            await socket.ReceiveAsync(new byte[10], CancellationToken.None);
            await socket.CloseAsync(WebSocketCloseStatus.NormalClosure, null, CancellationToken.None);
            return TimeProvider.System.GetElapsedTime(started).TotalSeconds;
        }));

        Assert.That(times.Max() - times.Min(), Is.GreaterThan(0.5));
        Assert.That(times.Min(), Is.GreaterThan(1.4));
        Assert.That((await drained).WebSocketsClosed, Is.EqualTo(5));
        sockets.ForEach(socket => socket.Dispose());
    }

    [Test]
    public async Task A_client_that_does_not_answer_the_close_frame_is_cut_off_at_the_deadline()
    {
        using var socket = await ConnectAsync();
        var report = await _upstream.DrainAsync(new DrainBudget(TimeSpan.Zero, TimeSpan.FromMilliseconds(500)), CancellationToken.None);

        Assert.That((report.WebSocketsClosed, report.WebSocketsAborted), Is.EqualTo((0, 1)));
        Assert.That(_upstream.InFlight, Is.Zero);
        Assert.That(_upstream.Traffic.Snapshot().Failed, Is.Zero);
    }

    [Test]
    public void Frames_are_followed_whatever_the_pieces_they_come_in()
    {
        var frame = Gen.Select(Gen.OneOf(Gen.Int[0, 200], Gen.Int[65_500, 65_600]), Gen.Bool, Gen.Int[0, 2]);
        Gen.Select(frame.Array[1, 5], Gen.Int[1, 3000]).Sample((frames, piece) =>
        {
            var bytes = frames.SelectMany(entry => Frame(entry.Item1, entry.Item2, entry.Item3)).ToArray();
            var ends = new HashSet<int>();
            var end = 0;
            foreach (var entry in frames)
                ends.Add(end += Frame(entry.Item1, entry.Item2, entry.Item3).Length);

            var follower = new WebSocketFrames();
            for (var at = 0; at < bytes.Length;)
            {
                var read = follower.Advance(bytes.AsSpan(at, Math.Min(piece, bytes.Length - at)), toBoundary: true);
                Assert.That(read, Is.Positive);
                at += read;
                Assert.That(follower.AtBoundary, Is.EqualTo(ends.Contains(at)), $"at {at}");
            }

            Assert.That(follower.SawClose, Is.False);
        }, iter: 200);
    }

    [Test]
    public async Task A_close_frame_never_cuts_a_message_of_the_application()
    {
        using var wire = new MemoryStream();
        await using var stream = new ClientSocketStream(wire);
        var message = Frame(1000, masked: false, opcode: 1);
        await stream.WriteAsync(message.AsMemory(0, 300));
        await stream.CloseAsync(CancellationToken.None);
        Assert.That(wire.Length, Is.EqualTo(300), "in the middle of a frame it waits");

        await stream.WriteAsync(message.Concat(message).ToArray().AsMemory(300));
        await stream.WriteAsync(message);

        Assert.That(wire.ToArray(), Is.EqualTo(message.Concat(new byte[] { 0x88, 0x02, 0x03, 0xF4 })).AsCollection);
    }

    [Test]
    public async Task Nothing_is_added_after_the_applications_own_close_frame()
    {
        using var wire = new MemoryStream();
        await using var stream = new ClientSocketStream(wire);
        var close = Frame(2, masked: false, opcode: 8);
        await stream.WriteAsync(close);
        await stream.CloseAsync(CancellationToken.None);

        Assert.That(wire.ToArray(), Is.EqualTo(close).AsCollection);
    }

    private static byte[] Frame(int length, bool masked, int opcode)
    {
        byte mask = masked ? (byte)0x80 : (byte)0;
        byte[] size = length switch
        {
            < 126 => [(byte)(mask | length)],
            < 65_536 => [(byte)(mask | 126), (byte)(length >> 8), (byte)length],
            _ => [(byte)(mask | 127), 0, 0, 0, 0, (byte)(length >> 24), (byte)(length >> 16), (byte)(length >> 8), (byte)length],
        };
        return [(byte)(0x80 | opcode), .. size, .. new byte[masked ? 4 : 0], .. Enumerable.Repeat((byte)0x88, length)];
    }

    /// <summary>Is asked to come back, and takes leave.</summary>
    private static async Task LeaveAsync(ClientWebSocket socket)
    {
        var last = await socket.ReceiveAsync(new byte[10], CancellationToken.None);
        Assert.That((last.MessageType, (int?)socket.CloseStatus), Is.EqualTo((WebSocketMessageType.Close, (int?)1012)));
        await socket.CloseAsync(WebSocketCloseStatus.NormalClosure, null, CancellationToken.None);
    }

    private async Task<ClientWebSocket> ConnectAsync()
    {
        var socket = new ClientWebSocket();
        await socket.ConnectAsync(new Uri($"ws://{_bed.Edge.Addresses[0]}/api/ws"), CancellationToken.None);
        return socket;
    }

    private static async Task<byte[]> EchoAsync(ClientWebSocket socket, byte[] message)
    {
        var sending = socket.SendAsync(message, WebSocketMessageType.Binary, endOfMessage: true, CancellationToken.None);
        var received = new List<byte>();
        var buffer = new byte[64 * 1024];
        WebSocketReceiveResult read;
        do
        {
            read = await socket.ReceiveAsync(buffer, CancellationToken.None);
            received.AddRange(buffer.AsSpan(0, read.Count));
        }
        while (received.Count < message.Length);
        await sending;
        return [.. received];
    }

    private static async Task<ClientWebSocket> OpenAsync(Uri address)
    {
        var socket = new ClientWebSocket();
        await socket.ConnectAsync(address, CancellationToken.None);
        return socket;
    }

    private static async Task<bool> TryOpenAsync(Uri address)
    {
        using var socket = new ClientWebSocket();
        try
        {
            await socket.ConnectAsync(address, CancellationToken.None);
            return true;
        }
        catch (WebSocketException)
        {
            return false;
        }
    }
}
