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
    private EdgeFarewell _farewell = null!;
    private KestrelServer _server = null!;
    private TcpClient _client = null!;

    [SetUp]
    public async Task SetUp()
    {
        _farewell = new EdgeFarewell(TimeProvider.System) { Succeeded = true };
        var options = new KestrelServerOptions();
        options.Listen(IPAddress.Loopback, 0, listen =>
        {
            listen.Protocols = HttpProtocols.Http1;
            listen.Use(next => connection => _farewell.CountAsync(next, connection, plain: true));
            listen.Use(next => connection => PauseAsync(next, connection));
        });
        var sockets = new SocketTransportFactory(Options.Create(new SocketTransportOptions()), NullLoggerFactory.Instance);
        _server = new KestrelServer(Options.Create(options), sockets, NullLoggerFactory.Instance);
        await _server.StartAsync(new Echo(_farewell), CancellationToken.None);
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

    private sealed class Echo(EdgeFarewell farewell) : IHttpApplication<HttpContext>
    {
        public HttpContext CreateContext(IFeatureCollection contextFeatures) => new DefaultHttpContext(contextFeatures);

        public async Task ProcessRequestAsync(HttpContext context)
        {
            farewell.OnRequest(context);
            if (context.Request.ContentLength is { } length) context.Response.ContentLength = length;
            await context.Request.Body.CopyToAsync(context.Response.Body);
            await context.Response.CompleteAsync();
        }

        public void DisposeContext(HttpContext context, Exception? exception)
        {
        }
    }
}
