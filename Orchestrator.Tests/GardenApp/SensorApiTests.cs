using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;

namespace Orchestrator.Tests.GardenApp;

public sealed class SensorApiTests
{
    private RunningGarden _garden = null!;
    private readonly DateTimeOffset _start = new(TimeProvider.System.GetUtcNow().Date.AddDays(-1), TimeSpan.Zero);

    [OneTimeSetUp]
    public async Task StartAsync() => _garden = await RunningGarden.StartAsync();

    [OneTimeTearDown]
    public async Task StopAsync() => await _garden.DisposeAsync();

    [Test]
    public async Task A_batch_that_is_sent_twice_is_stored_once()
    {
        var batch = Enumerable.Range(0, 50).Select(number => new { deviceId = "twice", sensorType = "temperature", value = number / 10.0, recordedAt = _start.AddMinutes(number) }).ToArray();
        Assert.That(await IngestAsync(batch), Is.EqualTo((50, 0, 0)));
        Assert.That(await IngestAsync(batch), Is.EqualTo((0, 50, 0)));
    }

    [Test]
    public async Task What_is_wrong_in_a_batch_is_rejected_by_itself()
    {
        using var answer = await _garden.Client.PostAsJsonAsync("/api/sensors/readings", new object[]
        {
            new { deviceId = "mixed", sensorType = "humidity", value = 50 },
            new { deviceId = "../etc", sensorType = "humidity", value = 50 },
            new { deviceId = "mixed", sensorType = "smell", value = 50 },
            new { deviceId = "mixed", sensorType = "humidity", value = 101 },
            new { deviceId = "mixed", sensorType = "humidity" },
            new { deviceId = "mixed", sensorType = "humidity", value = 1, recordedAt = "2001-01-01T00:00:00Z" },
            new { deviceId = "mixed", sensorType = "humidity", value = 1, gardenId = Guid.NewGuid() },
        });
        var result = await RunningGarden.JsonOf(answer);
        Assert.That((int?)result["accepted"], Is.EqualTo(1));
        Assert.That(result["rejected"]!.AsArray().Select(item => (int)item!["index"]!), Is.EqualTo(new[] { 1, 2, 3, 4, 5, 6 }));
    }

    [TestCase(0)]
    [TestCase(1001)]
    public async Task A_batch_has_one_to_a_thousand_readings(int count)
    {
        using var answer = await _garden.Client.PostAsJsonAsync("/api/sensors/readings", Enumerable.Repeat(new { deviceId = "many", sensorType = "ph", value = 7 }, count));
        Assert.That(answer.StatusCode, Is.EqualTo(HttpStatusCode.BadRequest));
    }

    [Test]
    public async Task The_latest_reading_of_each_type_is_the_newest_whatever_the_order_of_arrival()
    {
        await IngestAsync([
            new { deviceId = "latest", sensorType = "ph", value = 7.0, recordedAt = _start.AddHours(2) },
            new { deviceId = "latest", sensorType = "ph", value = 6.0, recordedAt = _start.AddHours(1) },
            new { deviceId = "latest", sensorType = "light", value = 900.0, recordedAt = _start.AddHours(1) },
        ]);
        var latest = await _garden.Client.GetFromJsonAsync<JsonNode>("/api/sensors/latest/latest");
        Assert.That(latest!.AsArray().Select(item => ((string)item!["sensorType"]!, (double)item["value"]!)), Is.EqualTo(new[] { ("light", 900.0), ("ph", 7.0) }));

        using var unknown = await _garden.Client.GetAsync("/api/sensors/nobody/latest");
        Assert.That(unknown.StatusCode, Is.EqualTo(HttpStatusCode.NotFound));
    }

    [Test]
    public async Task A_series_comes_raw_or_in_buckets_oldest_first()
    {
        await IngestAsync([.. Enumerable.Range(0, 120).Select(minute => new { deviceId = "series", sensorType = "light", value = (double)minute, recordedAt = _start.AddMinutes(minute) })]);
        var window = $"type=light&from={Uri.EscapeDataString(_start.ToString("O"))}&to={Uri.EscapeDataString(_start.AddHours(2).ToString("O"))}";

        var raw = await _garden.Client.GetFromJsonAsync<JsonNode>($"/api/sensors/series/series?{window}&limit=3");
        Assert.That(raw!.AsArray().Select(point => (double)point!["value"]!), Is.EqualTo(new[] { 117.0, 118.0, 119.0 }));

        var hours = await _garden.Client.GetFromJsonAsync<JsonNode>($"/api/sensors/series/series?{window}&bucketSeconds=3600");
        Assert.That(hours!.AsArray().Select(point => ((double)point!["least"]!, (double)point["value"]!, (double)point["most"]!, (long)point["count"]!)),
            Is.EqualTo(new[] { (0.0, 29.5, 59.0, 60L), (60.0, 89.5, 119.0, 60L) }));
    }

    [TestCase("type=smell")]
    [TestCase("type=ph&limit=0")]
    [TestCase("type=ph&bucketSeconds=0")]
    [TestCase("type=ph&from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z")]
    [TestCase("")]
    public async Task A_wrong_series_is_refused(string query)
    {
        using var answer = await _garden.Client.GetAsync($"/api/sensors/series/series?{query}");
        Assert.That(answer.StatusCode, Is.EqualTo(HttpStatusCode.BadRequest));
    }

    private async Task<(int Accepted, int Duplicates, int Rejected)> IngestAsync(object[] batch)
    {
        using var answer = await _garden.Client.PostAsJsonAsync("/api/sensors/readings", batch);
        var result = await RunningGarden.JsonOf(answer);
        return ((int)result["accepted"]!, (int)result["duplicates"]!, result["rejected"]!.AsArray().Count);
    }
}
