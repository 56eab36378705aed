using System.Net;
using System.Net.Sockets;
using Orchestrator.Tests.Engine;

namespace Orchestrator.Tests.Agent;

/// <summary>A real service, paused and resumed from outside, and put into maintenance.</summary>
public sealed class PausedServiceTests
{
    private readonly string _name = TestDaemon.NewName();

    [TearDown]
    public Task CleanUpAsync() => TestDaemon.RemoveStackAsync(_name);

    [Test]
    public async Task Nobody_is_refused_while_a_service_is_paused_and_the_audit_log_says_who_did_it()
    {
        await using var daemon = await RunningDaemon.StartAsync();
        await daemon.ApplyAsync(Garden.Light(_name, "1.0.0", "'*'"));
        using var client = new HttpClient { BaseAddress = daemon.Edge };

        var paused = await daemon.RunAsync("pause", _name, "--for", "1m");
        Assert.That((paused.ExitCode, paused.Out), Is.EqualTo((0, paused.Out)), paused.Error);
        Assert.That(paused.Out, Does.Match($"^{_name}/app: paused until .*Z, requests wait"));
        var held = client.GetAsync("/version");
        using var health = await client.GetAsync("/up");
        var status = await daemon.RunAsync("status", _name);
        Assert.That((health.StatusCode, held.IsCompleted), Is.EqualTo((HttpStatusCode.OK, false)), "the path of the gate is answered meanwhile");
        Assert.That(status.Out, Does.Contain("app: paused until"));

        var resumed = await daemon.RunAsync("resume", _name, "app", "--json");
        using var answer = await held;

        Assert.That(answer.StatusCode, Is.EqualTo(HttpStatusCode.OK));
        Assert.That(resumed.Json["services"]![0]!["pausedUntil"], Is.Null);
        using var audit = await daemon.Socket.GetAsync("/api/v1/audit");
        var entries = (await RunningDaemon.JsonAsync(audit)).AsArray().Select(entry => entry!.ToJsonString()).ToList();
        Assert.That(entries, Has.Some.Contains("pause: app for 60 s").And.Some.Contains("resume: app"));
    }

    [Test]
    public async Task A_maintenance_and_who_passes_it_outlive_the_daemon()
    {
        await using var daemon = await RunningDaemon.StartAsync();
        await daemon.ApplyAsync(Garden.Light(_name, "1.0.0", "'*'"));
        using var stranger = From(IPAddress.Loopback);
        using var staff = From(IPAddress.Parse("127.0.0.2"));

        await daemon.SucceedAsync("maintenance", _name, "on", "--allow", "127.0.0.2/32");
        var before = await SeenAsync();
        await daemon.RestartAsync();
        var after = await SeenAsync();
        await daemon.SucceedAsync("maintenance", _name, "off");

        (HttpStatusCode, HttpStatusCode, HttpStatusCode) closed = (HttpStatusCode.ServiceUnavailable, HttpStatusCode.OK, HttpStatusCode.OK);
        Assert.That((before, after), Is.EqualTo((closed, closed)), "a stranger, the staff, and the path of the gate");
        Assert.That((await SeenAsync()).Stranger, Is.EqualTo(HttpStatusCode.OK));

        async Task<(HttpStatusCode Stranger, HttpStatusCode Staff, HttpStatusCode Gate)> SeenAsync()
        {
            using var refused = await stranger.GetAsync(new Uri(daemon.Edge, "version"));
            using var allowed = await staff.GetAsync(new Uri(daemon.Edge, "version"));
            using var gate = await stranger.GetAsync(new Uri(daemon.Edge, "up"));
            return (refused.StatusCode, allowed.StatusCode, gate.StatusCode);
        }
    }

    [Test]
    public async Task What_has_no_route_cannot_be_paused()
    {
        await using var daemon = await RunningDaemon.StartAsync();
        await daemon.ApplyAsync($"name: {_name}\nservices:\n  cache:\n    image: {Garden.Registry}/redis:7\n    stop_grace_period: 1s\n");

        var all = await daemon.RunAsync("pause", _name);
        var one = await daemon.RunAsync("pause", _name, "cache");
        var wrong = await daemon.RunAsync("pause", _name, "cache", "--for", "soon");

        Assert.That((all.ExitCode, all.Error), Is.EqualTo((1, all.Error)));
        Assert.That(all.Error, Does.Contain("has no routed service"));
        Assert.That((one.ExitCode, one.Error.Contains("has no service cache with a route", StringComparison.Ordinal)), Is.EqualTo((1, true)), one.Error);
        Assert.That(wrong.Error, Does.Contain("found 'soon', expected a duration from 1s to 10m"));
    }

    private static HttpClient From(IPAddress address) => new(new SocketsHttpHandler
    {
        ConnectCallback = async (context, token) =>
        {
            var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
            socket.Bind(new IPEndPoint(address, 0));
            await socket.ConnectAsync(context.DnsEndPoint, token);
            return new NetworkStream(socket, ownsSocket: true);
        },
    });
}
