using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Net.WebSockets;
using System.Text;
using Orchestrator.Traffic;
using Orchestrator.Traffic.Handover;

namespace Orchestrator.Tests.Traffic.Handover;

/// <summary>One listening socket that the test holds, as systemd does, and edges that come and go behind it.</summary>
[TestFixture]
public sealed class HandoverTests
{
    private Socket _held = null!;
    private IPEndPoint _address = null!;
    private Backend _backend = null!;

    [SetUp]
    public async Task SetUp()
    {
        _held = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        _held.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        _held.Listen(100);
        _address = (IPEndPoint)_held.LocalEndPoint!;
        _backend = await Backend.StartAsync("blue");
    }

    [TearDown]
    public async Task TearDown()
    {
        await _backend.DisposeAsync();
        _held.Dispose();
    }

    [Test]
    public async Task What_arrives_between_two_daemons_waits_for_the_second()
    {
        await using (var first = await StartAsync())
        {
            Assert.That(await first.Client.GetStringAsync("/"), Is.EqualTo("blue"));
            await first.Edge.StopAsync(TimeSpan.FromSeconds(5));
        }

        using var client = new HttpClient { BaseAddress = new Uri($"http://{_address}/") };
        var between = client.GetStringAsync("/");
        await using var second = await StartAsync();

        Assert.That(await between, Is.EqualTo("blue"));
    }

    /// <summary>A shared socket that is closed on exec, and closed in the middle of an accept, would be disconnected for everybody.</summary>
    [Test]
    public async Task Fifty_edges_in_a_row_under_connections_leave_the_socket_listening()
    {
        using var ended = new CancellationTokenSource();
        var clients = Task.WhenAll(Enumerable.Range(0, 2).Select(_ => Task.Run(async () =>
        {
            var answered = 0;
            while (!ended.IsCancellationRequested)
            {
                using var client = new HttpClient { BaseAddress = new Uri($"http://{_address}/") };
                await client.GetStringAsync("/");
                answered++;
            }

            return answered;
        })));
        for (var round = 0; round < 50; round++)
        {
            await using var edge = await StartAsync();
            await edge.Edge.StopAsync(TimeSpan.FromSeconds(5));
        }

        await using var last = await StartAsync();
        await ended.CancelAsync();

        Assert.That(await clients, Is.All.GreaterThan(0));
    }

    [Test]
    public async Task Kept_connections_are_told_with_an_answer_that_they_end()
    {
        await using var edge = await StartAsync();
        using var client = new HttpClient(new SocketsHttpHandler { MaxConnectionsPerServer = 1 }) { BaseAddress = edge.Address };
        using var before = await client.GetAsync("/");

        var leave = edge.Edge.TakeLeaveAsync(TimeSpan.FromSeconds(30));
        using var told = await client.GetAsync("/");
        await leave;
        using var still = await edge.Client.GetAsync("/");

        Assert.That((before.Headers.ConnectionClose, told.Headers.ConnectionClose), Is.EqualTo(((bool?)null, (bool?)true)));
        Assert.That(still.StatusCode, Is.EqualTo(HttpStatusCode.OK), "until it stops, whoever comes is served");
    }

    [Test]
    public async Task An_upload_under_way_is_answered_and_told()
    {
        await using var edge = await StartAsync();
        var content = new StreamContent(new SlowStream(TimeSpan.FromMilliseconds(300)));
        var upload = edge.Client.PostAsync("/api/echo", content);
        await Task.WhenAny(upload, SlowStream.Begun.Task);

        await edge.Edge.StopAsync(TimeSpan.FromSeconds(20));

        using var answer = await upload;
        Assert.That(answer.StatusCode, Is.EqualTo(HttpStatusCode.OK), await answer.Content.ReadAsStringAsync());
    }

    [Test]
    public async Task At_a_stop_WebSockets_are_asked_to_come_back_and_event_streams_end_after_a_whole_event()
    {
        await using var edge = await StartAsync();
        using var socket = new ClientWebSocket();
        await socket.ConnectAsync(new Uri($"ws://{_address}/api/ws"), CancellationToken.None);
        using var request = new HttpRequestMessage(HttpMethod.Get, "/api/events") { Headers = { Accept = { new MediaTypeWithQualityHeaderValue("text/event-stream") } } };
        using var events = await edge.Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        await _backend.Arrived.Task;

        var stopped = edge.Edge.StopAsync(TimeSpan.FromSeconds(20));
        var last = await socket.ReceiveAsync(new byte[10], CancellationToken.None);
        await socket.CloseAsync(WebSocketCloseStatus.NormalClosure, null, CancellationToken.None);

        Assert.That((last.MessageType, (int?)socket.CloseStatus), Is.EqualTo((WebSocketMessageType.Close, (int?)1012)));
        Assert.That(await events.Content.ReadAsStringAsync(), Is.EqualTo("data: blue\n\n"));
        await stopped;
    }

    [Test]
    public async Task What_nothing_takes_is_named_and_let_go_of()
    {
        using var stray = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        stray.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        stray.Listen(1);
        using var unbound = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        var sockets = InheritedSockets.Of([Duplicate(_held), Duplicate(stray), Duplicate(unbound), 9999], ["http", "stray", "udp", "gone"]);
        await using var edge = await EdgeBed.StartAsync(new EdgeOptions { Http = [_address] }, TimeProvider.System, null, sockets);

        Assert.That(sockets.Problems, Has.Length.EqualTo(2));
        Assert.That(sockets.Problems[0], Does.Contain("'udp'").And.Contain("ListenStream="));
        Assert.That(edge.Edge.ReleaseUnclaimed().Select(socket => (socket.Name, socket.EndPoint)), Is.EqualTo(new[] { ("stray", stray.LocalEndPoint) }));
        Assert.That(edge.Edge.ReleaseUnclaimed(), Is.Empty);
    }

    [TestCase("0.0.0.0:80", "[::]:80", ExpectedResult = true)]
    [TestCase("127.0.0.1:80", "127.0.0.1:80", ExpectedResult = true)]
    [TestCase("127.0.0.1:80", "127.0.0.1:81", ExpectedResult = false)]
    [TestCase("127.0.0.1:80", "[::]:80", ExpectedResult = false)]
    public bool An_address_is_one_however_it_is_written(string wanted, string have)
    {
        using var socket = new Socket(IPEndPoint.Parse(have).AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        var port = IPEndPoint.Parse(have).Port + 20000;
        socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, true);
        socket.Bind(new IPEndPoint(IPEndPoint.Parse(have).Address, port));
        return new InheritedSocket(socket, "").Answers(new IPEndPoint(IPEndPoint.Parse(wanted).Address, IPEndPoint.Parse(wanted).Port + 20000));
    }

    [Test]
    public async Task Every_listener_gives_a_sign_of_life_and_one_that_nobody_serves_gives_none()
    {
        await using var edge = await StartAsync();
        Assert.That(await edge.Edge.FindSilentAsync(TimeSpan.FromSeconds(20)), Is.Null);

        await edge.Edge.StopAsync(TimeSpan.FromSeconds(1));
        Assert.That(await EdgePulse.BeatsAsync(_address, TimeSpan.FromMilliseconds(200), TimeProvider.System), Is.False, "it is accepted by the kernel, and by nobody else");
    }

    [Test]
    public async Task An_idle_connection_goes_on_with_the_next_daemon_and_its_client_notices_nothing()
    {
        using var systemd = new FakeSystemd();
        using var idle = await ConnectAsync();
        using var untouched = await ConnectAsync();
        int[] kept;
        await using (var first = await StartAsync(systemd.Keeping))
        {
            Assert.That(await AskAsync(idle), Does.StartWith("HTTP/1.1 200").And.Not.Contain("Connection: close"));
            kept = await StopAsync(first, systemd);
        }

        Assert.That(kept, Has.Length.EqualTo(2), "one that has asked, and one that has not yet");
        var between = AskAsync(idle);
        await using (var second = await StartAsync(systemd.Keeping, kept))
        {
            Assert.That(await between, Does.StartWith("HTTP/1.1 200").And.Contain("blue"), "what was asked while there was no daemon");
            Assert.That(await AskAsync(untouched), Does.StartWith("HTTP/1.1 200"));
            Assert.That(systemd.Take().Select(message => message.Text), Does.Contain("FDSTOREREMOVE=1\nFDNAME=idle-connection"), "where the next daemon ends one, it ends");
            kept = await StopAsync(second, systemd);
        }

        Assert.That(kept, Has.Length.EqualTo(2), "and from that one to the next");
        await using var third = await StartAsync(systemd.Keeping, kept);
        Assert.That(await AskAsync(untouched), Does.StartWith("HTTP/1.1 200"));
        Assert.That(await AskAsync(idle), Does.StartWith("HTTP/1.1 200"));
    }

    [Test]
    public async Task A_connection_that_nothing_listens_for_any_more_is_ended()
    {
        using var systemd = new FakeSystemd();
        using var client = await ConnectAsync();
        int[] kept;
        await using (var first = await StartAsync(systemd.Keeping))
        {
            await AskAsync(client);
            kept = await StopAsync(first, systemd);
        }

        await using var elsewhere = await EdgeBed.StartAsync(
            new EdgeOptions(), TimeProvider.System, null, InheritedSockets.Of(kept, ["idle-connection"]), first: null, systemd.Keeping);
        elsewhere.Edge.ReleaseUnclaimed();

        Assert.That(await AskAsync(client), Is.Empty);
    }

    [Test]
    public async Task One_whose_client_has_left_meanwhile_is_no_trouble()
    {
        using var systemd = new FakeSystemd();
        int[] kept;
        using (var client = await ConnectAsync())
        {
            await using var first = await StartAsync(systemd.Keeping);
            await AskAsync(client);
            kept = await StopAsync(first, systemd);
            client.LingerState = new LingerOption(enable: true, seconds: 0);
        }

        await using var second = await StartAsync(systemd.Keeping, kept);

        Assert.That(await second.Client.GetStringAsync("/"), Is.EqualTo("blue"));
    }

    /// <returns>The idle connections that were given into keeping.</returns>
    private static async Task<int[]> StopAsync(EdgeBed edge, FakeSystemd systemd)
    {
        await edge.Edge.TakeLeaveAsync(TimeSpan.Zero);
        await edge.Edge.StopAsync(TimeSpan.FromMinutes(1));
        return [.. systemd.Take().Where(message => message.Text == "FDSTORE=1\nFDNAME=idle-connection").Select(message => message.Descriptor)];
    }

    private async Task<Socket> ConnectAsync()
    {
        var client = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await client.ConnectAsync(_address);
        return client;
    }

    /// <returns>Head and body; what came until then where the connection ended.</returns>
    private static async Task<string> AskAsync(Socket client)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromMinutes(1));
        var (text, buffer) = (new StringBuilder(), new byte[4096]);
        try
        {
            await client.SendAsync(Encoding.ASCII.GetBytes("GET / HTTP/1.1\r\nHost: a\r\n\r\n"), patience.Token);
            while (!text.ToString().EndsWith("\r\n0\r\n\r\n", StringComparison.Ordinal))
            {
                var read = await client.ReceiveAsync(buffer, patience.Token);
                if (read == 0) break;
                text.Append(Encoding.ASCII.GetString(buffer, 0, read));
            }
        }
        catch (SocketException)
        {
            // Ended, as one sees it who has sent something meanwhile.
        }

        return text.ToString();
    }

    /// <summary>Its routes are there before it listens, as in the daemon.</summary>
    private Task<EdgeBed> StartAsync(SocketKeeping? keeping = null, params int[] connections) => EdgeBed.StartAsync(
        new EdgeOptions { Http = [_address] }, TimeProvider.System, null,
        InheritedSockets.Of([Duplicate(_held), .. connections], ["http", .. connections.Select(_ => "idle-connection")]), edge => edge.Publish(edge.Upstream("blue", _backend)), keeping);

    private static int Duplicate(Socket socket) => FakeSystemd.Duplicate((int)socket.SafeHandle.DangerousGetHandle());

    /// <summary>Some bytes at once, some later.</summary>
    private sealed class SlowStream(TimeSpan pause) : Stream
    {
        private int _parts;

        public static TaskCompletionSource Begun { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => false;

        public override long Length => throw new NotSupportedException();

        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            if (_parts++ > 4) return 0;
            if (_parts > 1) Begun.TrySetResult();
            await Task.Delay(pause, TimeProvider.System, cancellationToken);
            buffer.Span[..Math.Min(buffer.Length, 5000)].Fill(1);
            return Math.Min(buffer.Length, 5000);
        }

        public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) => ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

        public override void Flush()
        {
        }

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    }
}
