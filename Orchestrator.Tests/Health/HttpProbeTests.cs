using System.Net;
using System.Net.Sockets;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Orchestrator.Health;
using Orchestrator.Stacks;

namespace Orchestrator.Tests.Health;

[TestFixture]
public sealed class HttpProbeTests
{
    private WebApplication _app = null!;
    private int _port;
    private int _connections;

    [OneTimeSetUp]
    public async Task StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0, listen => listen.Use(next => connection =>
        {
            Interlocked.Increment(ref _connections);
            return next(connection);
        })));
        _app = builder.Build();
        _app.MapGet("/status/{status:int}", (int status) => status == 204
            ? Results.NoContent()
            : Results.Text("said the application\nin two lines", statusCode: status));
        _app.MapGet("/https", () => Results.Redirect("https://garden.example/https"));
        _app.MapGet("/login", () => Results.Redirect("/sign-in"));
        _app.MapGet("/host", (HttpRequest request) => request.Host.Host == "garden.example"
            ? Results.Text("ok")
            : Results.Text($"Invalid host header: {request.Host}", statusCode: 400));
        _app.MapGet("/json", () => Results.Text("""{"status":"degraded","checks":[{"name":"database","ok":true}]}""", "application/json"));
        _app.MapGet("/slow", async (HttpContext context) => await Task.Delay(TimeSpan.FromMinutes(1), TimeProvider.System, context.RequestAborted));
        _app.MapGet("/variable", () => Results.Text("DATABASE_URL is not set", statusCode: 500));
        _app.MapGet("/endless", async (HttpContext context) =>
        {
            var chunk = new byte[16 * 1024];
            while (!context.RequestAborted.IsCancellationRequested) await context.Response.Body.WriteAsync(chunk, context.RequestAborted);
        });
        await _app.StartAsync();
        _port = new Uri(_app.Urls.First()).Port;
    }

    [OneTimeTearDown]
    public async Task StopAsync() => await _app.DisposeAsync();

    [TestCase("/status/200", true, null)]
    [TestCase("status/200", true, null)]
    [TestCase("/status/204", true, null)]
    [TestCase("/status/503", false, null)]
    [TestCase("/status/401", false, ProbeHint.NeedsLogin)]
    [TestCase("/nowhere", false, ProbeHint.PathNotFound)]
    [TestCase("/https", false, ProbeHint.RedirectToHttps)]
    [TestCase("/login", false, ProbeHint.Redirect)]
    [TestCase("/host", false, ProbeHint.HostNotAllowed)]
    [TestCase("/variable", false, ProbeHint.MissingVariable)]
    [TestCase("/slow", false, ProbeHint.TooSlow)]
    [TestCase("/endless", true, null)]
    public async Task An_answer_is_judged_and_explained(string path, bool healthy, ProbeHint? hint)
    {
        var result = await ProbeAsync(Gate(path));

        Assert.That((result.Healthy, result.Hint), Is.EqualTo((healthy, hint)), result.Detail);
    }

    [Test]
    public async Task The_detail_says_what_was_asked_and_what_came_back_on_one_line()
    {
        var result = await ProbeAsync(Gate("/status/503"));

        Assert.That(result.Detail, Is.EqualTo(
            $"GET http://127.0.0.1:{_port}/status/503: 503, expected 200-299; body: said the application in two lines"));
    }

    [Test]
    public async Task The_target_of_a_redirect_is_told()
    {
        var result = await ProbeAsync(Gate("/https"));

        Assert.That(result.Detail, Does.Contain("302 to https://garden.example/https, expected 200-299"));
    }

    [Test]
    public async Task A_redirect_that_is_expected_is_healthy() =>
        Assert.That((await ProbeAsync(Gate("/login") with { Expect = [new StatusRange(302, 302)] })).Healthy);

    [Test]
    public async Task The_host_header_is_the_one_of_the_route() =>
        Assert.That((await ProbeAsync(Gate("/host"), "garden.example")).Healthy);

    [TestCase("status", "ok", false)]
    [TestCase("status", "degraded", true)]
    [TestCase("checks.0.ok", "true", true)]
    [TestCase("checks.1.ok", "true", false)]
    [TestCase("state", "ok", false)]
    public async Task A_field_of_the_answer_must_have_its_value(string field, string value, bool healthy)
    {
        var result = await ProbeAsync(Gate("/json") with { JsonField = field, JsonValue = value });

        Assert.That(result.Healthy, Is.EqualTo(healthy), result.Detail);
    }

    [Test]
    public async Task Every_probe_comes_on_a_connection_of_its_own()
    {
        var before = _connections;
        await ProbeAsync(Gate("/status/200"));
        await ProbeAsync(Gate("/status/200"));

        Assert.That(_connections - before, Is.EqualTo(2));
    }

    [Test]
    public async Task A_port_where_nobody_listens_is_named()
    {
        using var free = new TcpListener(IPAddress.Loopback, 0);
        free.Start();
        var port = ((IPEndPoint)free.LocalEndpoint).Port;
        free.Stop();

        var result = await new HttpProbe(Gate("/up"), "127.0.0.1", port, null, TimeProvider.System).ProbeAsync(CancellationToken.None);

        Assert.That((result.Healthy, result.Hint), Is.EqualTo((false, ProbeHint.WrongPort)));
        Assert.That(result.Detail, Is.EqualTo($"GET http://127.0.0.1:{port}/up: connection refused"));
    }

    [TestCase("-ERR unknown command\r\n")]
    [TestCase("")]
    public async Task What_does_not_speak_http_is_named_as_such(string answer)
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var serve = ServeAsync(listener, answer);

        var result = await new HttpProbe(Gate("/"), "127.0.0.1", ((IPEndPoint)listener.LocalEndpoint).Port, null, TimeProvider.System)
            .ProbeAsync(CancellationToken.None);
        listener.Stop();
        Assert.That(async () => await serve, Throws.InstanceOf<SocketException>(), "the listener was closed");

        Assert.That((result.Healthy, result.Hint), Is.EqualTo((false, ProbeHint.NotHttp)), result.Detail);
    }

    [Test]
    public async Task A_name_without_an_address_is_a_result()
    {
        var result = await new HttpProbe(Gate("/"), "nowhere.invalid", 80, null, TimeProvider.System).ProbeAsync(CancellationToken.None);

        Assert.That(result.Healthy, Is.False);
        Assert.That(result.Detail, Does.Contain("the name"));
    }

    [Test]
    public void Cancellation_is_not_a_result()
    {
        using var cancelled = new CancellationTokenSource();
        cancelled.Cancel();

        Assert.That(async () => await new HttpProbe(Gate("/slow"), "127.0.0.1", _port, null, TimeProvider.System).ProbeAsync(cancelled.Token),
            Throws.InstanceOf<OperationCanceledException>());
    }

    [Test]
    public async Task A_tcp_probe_wants_a_connection_and_nothing_more()
    {
        var result = await new TcpProbe("127.0.0.1", _port, TimeSpan.FromSeconds(2), TimeProvider.System).ProbeAsync(CancellationToken.None);
        var refused = await new TcpProbe("127.0.0.1", 1, TimeSpan.FromSeconds(2), TimeProvider.System).ProbeAsync(CancellationToken.None);

        Assert.That(result.Healthy, result.Detail);
        Assert.That((refused.Healthy, refused.Hint), Is.EqualTo((false, ProbeHint.WrongPort)), refused.Detail);
    }

    /// <summary>Only where too long is what is asked for, the patience is short: a busy machine may take long over anything.</summary>
    private static GateSpec Gate(string path) => new() { Kind = GateKind.Http, Http = path, Timeout = path == "/slow" ? TimeSpan.FromMilliseconds(700) : TimeSpan.FromMinutes(1) };

    private Task<ProbeResult> ProbeAsync(GateSpec gate, string? host = null) =>
        new HttpProbe(gate, "127.0.0.1", _port, host, TimeProvider.System).ProbeAsync(CancellationToken.None);

    private static async Task ServeAsync(TcpListener listener, string answer)
    {
        while (true)
        {
            using var client = await listener.AcceptTcpClientAsync();
            var stream = client.GetStream();
            await stream.ReadAtLeastAsync(new byte[1], 1);
            await stream.WriteAsync(Encoding.ASCII.GetBytes(answer));
        }
    }
}
