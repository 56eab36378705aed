using System.Net;
using System.Net.ServerSentEvents;
using System.Net.WebSockets;

namespace Orchestrator.Tests.GardenApp;

public sealed class StopTests
{
    [Test]
    public async Task Sigterm_is_reported_with_what_is_in_flight_and_lets_it_finish()
    {
        using var garden = await GardenProcess.ServeAsync();
        var slow = garden.Client.GetAsync("/api/slow?ms=3000");
        await ArrivedAsync(garden, 1);
        garden.Terminate();

        using var answer = await slow;
        var (exitCode, output, _) = await garden.EndAsync();
        Assert.Multiple(() =>
        {
            Assert.That(answer.StatusCode, Is.EqualTo(HttpStatusCode.OK));
            Assert.That(exitCode, Is.Zero);
            Assert.That(output, Does.Contain("SIGTERM received with 1 requests in flight"));
            Assert.That(output, Does.Contain("Stopped with 0 requests in flight"));
        });
    }

    [Test]
    public async Task An_idle_process_reports_none_in_flight_and_probes_do_not_count()
    {
        using var garden = await GardenProcess.ServeAsync();
        using var health = await garden.Client.GetAsync("/api/health");
        garden.Terminate();
        var (exitCode, output, _) = await garden.EndAsync();
        Assert.That((exitCode, output.Contains("SIGTERM received with 0 requests in flight", StringComparison.Ordinal)), Is.EqualTo((0, true)));
    }

    [Test]
    public async Task An_event_stream_ends_with_a_last_event_and_a_WebSocket_with_a_close_frame()
    {
        using var garden = await GardenProcess.ServeAsync();
        await using var stream = await garden.Client.GetStreamAsync("/api/events?ms=60000");
        await using var events = SseParser.Create(stream).EnumerateAsync().GetAsyncEnumerator();
        Assert.That(await events.MoveNextAsync());
        using var socket = new ClientWebSocket();
        await socket.ConnectAsync(new UriBuilder(garden.Client.BaseAddress!) { Scheme = "ws", Path = "/api/ws" }.Uri, CancellationToken.None);
        await ArrivedAsync(garden, 2);
        garden.Terminate();

        Assert.That(await events.MoveNextAsync());
        Assert.That((events.Current.EventType, events.Current.Data), Is.EqualTo(("end", "stopping")));
        Assert.That(await events.MoveNextAsync(), Is.False);
        var closing = await socket.ReceiveAsync(new byte[16], CancellationToken.None);
        Assert.That((closing.MessageType, closing.CloseStatus), Is.EqualTo((WebSocketMessageType.Close, (WebSocketCloseStatus?)WebSocketCloseStatus.EndpointUnavailable)));
        await socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, null, CancellationToken.None);

        var (exitCode, output, _) = await garden.EndAsync();
        Assert.That((exitCode, output.Contains("SIGTERM received with 2 requests in flight", StringComparison.Ordinal)), Is.EqualTo((0, true)), output);
    }

    [Test]
    public async Task Who_ignores_sigterm_says_so_and_serves_on()
    {
        using var garden = await GardenProcess.ServeAsync(("GARDEN_FAULT_IGNORE_SIGTERM", "true"));
        garden.Terminate();
        using var answer = await garden.Client.GetAsync("/api/slow?ms=300");
        Assert.That((answer.StatusCode, garden.HasExited), Is.EqualTo((HttpStatusCode.OK, false)));
    }

    [Test]
    public async Task Exit_at_start_exits_with_its_code_and_says_why_on_standard_error()
    {
        using var garden = GardenProcess.Start([], ("GARDEN_FAULT_EXIT_AT_START", "42"));
        var (exitCode, output, error) = await garden.EndAsync();
        Assert.That((exitCode, output), Is.EqualTo((42, "")));
        Assert.That(error, Does.Contain("GARDEN_FAULT_EXIT_AT_START"));
    }

    [Test]
    public async Task A_wrong_setting_stops_the_start_with_one_line_per_problem()
    {
        using var garden = GardenProcess.Start([], ("LOG_LEVEL", "loud"), ("DATABASE_URL", "nonsense"));
        var (exitCode, _, error) = await garden.EndAsync();
        Assert.That((exitCode, error.Trim().Split('\n').Length), Is.EqualTo((2, 2)), error);
    }

    [Test]
    public async Task An_unknown_verb_is_explained()
    {
        using var garden = GardenProcess.Start(["dig"]);
        var (exitCode, _, error) = await garden.EndAsync();
        Assert.That(exitCode, Is.EqualTo(2));
        Assert.That(error, Does.StartWith("usage: GardenApp"));
    }

    [Test]
    public async Task The_health_check_verb_tells_health_from_sickness_and_from_nobody_there()
    {
        using var healthy = await GardenProcess.ServeAsync();
        using var sick = await GardenProcess.ServeAsync(("GARDEN_FAULT_NEVER_HEALTHY", "1"));
        Assert.That(await ProbeAsync(healthy.Client.BaseAddress!.Port), Is.EqualTo((0, true)));
        Assert.That(await ProbeAsync(sick.Client.BaseAddress!.Port), Is.EqualTo((1, true)));
        Assert.That(await ProbeAsync(Backing.FreePort()), Is.EqualTo((1, false)));
    }

    private static async Task<(int ExitCode, bool Report)> ProbeAsync(int port)
    {
        using var probe = GardenProcess.Start(["--healthcheck"], ("PORT", port.ToString(System.Globalization.CultureInfo.InvariantCulture)));
        var (exitCode, output, _) = await probe.EndAsync();
        return (exitCode, output.Contains("\"checks\"", StringComparison.Ordinal));
    }

    private static Task ArrivedAsync(GardenProcess garden, int count) => Eventually.TrueAsync(
        async () => (await garden.Client.GetStringAsync("/api/metrics")).Contains($"\nhttp_requests_in_progress {count}\n", StringComparison.Ordinal), $"{count} requests are in flight");
}
