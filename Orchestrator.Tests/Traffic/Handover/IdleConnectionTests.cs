using System.Net;
using System.Net.Sockets;
using System.Text;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Orchestrator.Traffic;

namespace Orchestrator.Tests.Traffic.Handover;

/// <summary>A request that arrives just when the server has found its connection idle, with the real server and real sockets.</summary>
[TestFixture]
[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
public sealed class IdleConnectionTests
{
    private const string Get = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    private const string Post = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello";

    private readonly TaskCompletionSource _foundIdle = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _goOn = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _written = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private EdgeFarewell _farewell = null!;
    private KestrelServer _server = null!;
    private TcpClient _client = null!;

    [SetUp]
    public async Task SetUp()
    {
        _farewell = new EdgeFarewell(TimeProvider.System) { Inherited = true };
        var options = new KestrelServerOptions();
        options.Listen(IPAddress.Loopback, 0, listen =>
        {
            listen.Protocols = HttpProtocols.Http1;
            listen.Use(next => connection => _farewell.CountAsync(next, connection, plain: true));
            listen.Use(next => connection => PauseAsync(next, connection));
        });
        var sockets = new SocketTransportFactory(Options.Create(new SocketTransportOptions { CreateBoundListenSocket = Listen }), NullLoggerFactory.Instance);
        _server = new KestrelServer(Options.Create(options), sockets, NullLoggerFactory.Instance);
        await _server.StartAsync(new Echo(_farewell, _written), CancellationToken.None);
        var address = new Uri(_server.Features.GetRequiredFeature<IServerAddressesFeature>().Addresses.First());
        _client = new TcpClient { NoDelay = true };
        await _client.ConnectAsync(address.Host, address.Port);
    }

    [TearDown]
    public void TearDown()
    {
        _client.Dispose();
        _server.Dispose();
    }

    [Test]
    public async Task Is_answered_and_told_that_the_connection_ends()
    {
        Assert.That(await AskAsync(Get, "\r\n\r\n"), Does.StartWith("HTTP/1.1 200").And.Not.Contain("Connection: close"));
        await _farewell.SayAsync(TimeSpan.Zero);
        var stopped = _server.StopAsync(new CancellationTokenSource(TimeSpan.FromMinutes(1)).Token);
        await _foundIdle.Task;

        var asked = AskAsync(Post, "hello");
        _goOn.SetResult();

        Assert.That(await asked, Does.StartWith("HTTP/1.1 200").And.Contain("Connection: close").And.EndWith("hello"));
        Assert.That(await EndAsync(), Is.Zero);
        await stopped;
    }

    [Test]
    public async Task One_that_stays_idle_is_ended_in_good_order()
    {
        await AskAsync(Get, "\r\n\r\n");
        await _farewell.SayAsync(TimeSpan.Zero);
        var stopped = _server.StopAsync(new CancellationTokenSource(TimeSpan.FromMinutes(1)).Token);
        await _foundIdle.Task;
        _goOn.SetResult();

        Assert.That(await EndAsync(), Is.Zero);
        await stopped;
    }

    /// <summary>Most of it lies in this process, behind a kernel that takes no more, when the server has found the connection idle.</summary>
    [Test]
    public async Task Who_reads_slowly_gets_all_of_the_answer()
    {
        const int Length = 60_000;           // less than what the server waits for
        using var slow = new Socket(SocketType.Stream, ProtocolType.Tcp) { ReceiveBufferSize = 4096 };
        await slow.ConnectAsync(_client.Client.RemoteEndPoint!);
        await slow.SendAsync(Encoding.ASCII.GetBytes($"GET /?length={Length} HTTP/1.1\r\nHost: a\r\n\r\n"));
        var (buffer, read, part) = (new byte[4096], 0L, 0);
        await _written.Task;

        await _farewell.SayAsync(TimeSpan.Zero);
        var stopped = _server.StopAsync(new CancellationTokenSource(TimeSpan.FromMinutes(1)).Token);
        await _foundIdle.Task;
        _goOn.SetResult();
        await Task.Delay(TimeSpan.FromMilliseconds(200), TimeProvider.System);
        while ((part = await slow.ReceiveAsync(buffer)) > 0) read += part;

        Assert.That(read, Is.GreaterThan(Length), "head and body");
        await stopped;
    }

    [TestCase("GET / HTTP/1.1\r\nHost: a\r\nbad header\r\n\r\n" + Get, "HTTP/1.1 400")]
    [TestCase("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n" + Get, "HTTP/1.1 200")]
    public async Task What_follows_on_a_connection_that_ended_otherwise_is_not_taken_for_a_request(string sent, string answer)
    {
        await _farewell.SayAsync(TimeSpan.Zero);
        _goOn.SetResult();

        var all = await AskAsync(sent, end: null);

        Assert.That(all, Does.StartWith(answer));
        Assert.That(all.Split("HTTP/1.1 ").Length - 1, Is.EqualTo(1), all);
    }

    // The kernel takes a few kilobytes for a connection, and no more before its client reads.
    private static Socket Listen(EndPoint endPoint)
    {
        var socket = SocketTransportOptions.CreateDefaultBoundListenSocket(endPoint);
        socket.SendBufferSize = 4096;
        return socket;
    }

    // The server has ended its part; what follows is what happens between that and the end of the socket.
    private async Task PauseAsync(ConnectionDelegate next, ConnectionContext connection)
    {
        await next(connection);
        if (!_foundIdle.TrySetResult()) return;

        await _goOn.Task;
    }

    private async Task<string> AskAsync(string request, string? end)
    {
        var stream = _client.GetStream();
        await stream.WriteAsync(Encoding.ASCII.GetBytes(request));
        var (text, buffer) = (new StringBuilder(), new byte[4096]);
        while (end is null || !text.ToString().EndsWith(end, StringComparison.Ordinal))
        {
            var read = await ReadAsync(stream, buffer);
            if (read == 0) break;
            text.Append(Encoding.ASCII.GetString(buffer, 0, read));
        }

        return text.ToString();
    }

    private Task<int> EndAsync() => ReadAsync(_client.GetStream(), new byte[1]);

    private static async Task<int> ReadAsync(NetworkStream stream, byte[] buffer)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromMinutes(1));
        return await stream.ReadAsync(buffer, patience.Token);
    }

    private sealed class Echo(EdgeFarewell farewell, TaskCompletionSource written) : IHttpApplication<HttpContext>
    {
        public HttpContext CreateContext(IFeatureCollection contextFeatures) => new DefaultHttpContext(contextFeatures);

        public async Task ProcessRequestAsync(HttpContext context)
        {
            farewell.OnRequest(context);
            if (context.Request.Query["length"] is [{ } wanted])
            {
                context.Response.ContentLength = int.Parse(wanted, System.Globalization.CultureInfo.InvariantCulture);
                await context.Response.Body.WriteAsync(new byte[(int)context.Response.ContentLength]);
                written.SetResult();
                return;
            }

            if (context.Request.ContentLength is { } length) context.Response.ContentLength = length;
            await context.Request.Body.CopyToAsync(context.Response.Body);
            await context.Response.CompleteAsync();
        }

        public void DisposeContext(HttpContext context, Exception? exception)
        {
        }
    }
}
