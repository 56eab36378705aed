using System.Net;
using System.Net.Http.Json;
using System.Net.ServerSentEvents;
using System.Net.WebSockets;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;

namespace Orchestrator.Tests.GardenApp;

public sealed class PlaygroundTests
{
    private RunningGarden _garden = null!;

    [OneTimeSetUp]
    public async Task StartAsync() => _garden = await RunningGarden.StartBareAsync(("GARDEN_VERSION", "2.0.0"));

    [OneTimeTearDown]
    public async Task StopAsync() => await _garden.DisposeAsync();

    [TestCase(0)]
    [TestCase(1)]
    [TestCase(40_000_000)]
    public async Task A_body_of_any_size_arrives_whole(int length)
    {
        var body = new byte[length];
        Random.Shared.NextBytes(body);
        using var answer = await _garden.Client.PostAsync("/api/echo", new ByteArrayContent(body));
        var echo = await RunningGarden.JsonOf(answer);
        Assert.That(((long?)echo["length"], (string?)echo["sha256"]), Is.EqualTo(((long?)length, Convert.ToHexStringLower(SHA256.HashData(body)))));
    }

    [Test]
    public async Task A_slow_answer_takes_as_long_as_asked()
    {
        var watch = System.Diagnostics.Stopwatch.StartNew();
        var answer = await _garden.Client.GetFromJsonAsync<JsonNode>("/api/slow?ms=300");
        Assert.That(watch.ElapsedMilliseconds, Is.GreaterThanOrEqualTo(290));
        Assert.That((string?)answer!["version"], Is.EqualTo("2.0.0"));
    }

    [TestCase("/api/slow?ms=-1")]
    [TestCase("/api/slow?ms=60001")]
    [TestCase("/api/events?ms=0")]
    [TestCase("/api/events?count=0")]
    [TestCase("/api/ws")]
    public async Task What_is_out_of_bounds_is_refused(string path)
    {
        using var answer = await _garden.Client.GetAsync(path);
        Assert.That(answer.StatusCode, Is.EqualTo(HttpStatusCode.BadRequest));
    }

    [Test]
    public async Task Events_tick_and_end()
    {
        await using var stream = await _garden.Client.GetStreamAsync("/api/events?ms=10&count=3");
        var events = new List<(string, string)>();
        await foreach (var item in SseParser.Create(stream).EnumerateAsync()) events.Add((item.EventType, item.Data));
        Assert.That(events, Is.EqualTo(new[] { ("tick", "2.0.0"), ("tick", "2.0.0"), ("tick", "2.0.0"), ("end", "done") }));
    }

    [Test]
    public async Task A_WebSocket_echoes_and_answers_a_close_frame()
    {
        using var socket = new ClientWebSocket();
        await socket.ConnectAsync(new UriBuilder(_garden.Client.BaseAddress!) { Scheme = "ws", Path = "/api/ws" }.Uri, CancellationToken.None);
        await socket.SendAsync(Encoding.UTF8.GetBytes("zdravo"), WebSocketMessageType.Text, endOfMessage: true, CancellationToken.None);
        var buffer = new byte[64];
        var received = await socket.ReceiveAsync(buffer, CancellationToken.None);
        Assert.That(Encoding.UTF8.GetString(buffer, 0, received.Count), Is.EqualTo("zdravo"));
        await socket.CloseAsync(WebSocketCloseStatus.NormalClosure, "bye", CancellationToken.None);
        Assert.That((socket.State, socket.CloseStatus), Is.EqualTo((WebSocketState.Closed, WebSocketCloseStatus.NormalClosure)));
    }

    [Test]
    public async Task The_front_page_shows_its_version() => Assert.That(await _garden.Client.GetStringAsync("/"), Does.Contain("<h1>Baš-Malin 2.0.0</h1>"));
}
