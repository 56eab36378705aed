using System.Net.Http.Json;
using System.Text.Json.Nodes;
using GardenApp.Gardens;
using GardenApp.Insights;
using GardenApp.Sensors;

namespace Orchestrator.Tests.GardenApp;

public sealed class InsightTests
{
    private static readonly DateTimeOffset Now = new(2026, 6, 1, 12, 0, 0, TimeSpan.Zero);

    [TestCase("soil_moisture", 10, "watering", "critical")]
    [TestCase("soil_moisture", 20, "watering", "warning")]
    [TestCase("soil_moisture", 90, "watering", "warning")]
    [TestCase("temperature", -1, "frost", "critical")]
    [TestCase("temperature", 3, "frost", "warning")]
    [TestCase("temperature", 36, "heat", "warning")]
    [TestCase("humidity", 95, "mould", "warning")]
    [TestCase("ph", 5, "soil", "warning")]
    [TestCase("ph", 8, "soil", "warning")]
    public void A_reading_out_of_range_gives_its_advice(string type, double value, string insight, string severity)
    {
        var findings = InsightRules.Evaluate(Snapshot(Reading(type, value, Now)));
        Assert.That(findings.Select(finding => (finding.InsightType, finding.Severity)), Does.Contain((insight, severity)));
    }

    [TestCase("soil_moisture", 50)]
    [TestCase("temperature", 20)]
    [TestCase("humidity", 60)]
    [TestCase("ph", 6.5)]
    public void A_reading_in_range_is_no_reason_for_advice(string type, double value)
    {
        var findings = InsightRules.Evaluate(Snapshot(Reading(type, value, Now)));
        Assert.That(findings.Select(finding => finding.Severity), Is.All.EqualTo("info"));
    }

    [Test]
    public void A_reading_of_yesterday_is_only_worth_a_word_about_its_age()
    {
        var findings = InsightRules.Evaluate(Snapshot(Reading("temperature", -20, Now.AddHours(-30))));
        Assert.That(findings.Select(finding => finding.InsightType), Is.All.EqualTo("care"));
    }

    [TestCase("openai", "/v1/chat/completions", """{"choices":[{"message":{"content":"Water the tomatoes."}}]}""")]
    [TestCase("anthropic", "/v1/messages", """{"content":[{"type":"text","text":"Water the tomatoes."}]}""")]
    public async Task A_model_is_asked_in_its_dialect_and_a_hiccup_is_tried_again(string provider, string path, string body)
    {
        await using var model = await StubModel.StartAsync([(500, "oops"), (200, body)]);
        await using var garden = await StartAsync(provider, model);
        var insight = (await AskAsync(garden))[0]!;

        Assert.Multiple(() =>
        {
            Assert.That(((string?)insight["message"], (string?)insight["modelProvider"]), Is.EqualTo(("Water the tomatoes.", provider)));
            Assert.That(model.Requests.Select(request => request.Path), Is.EqualTo(new[] { path, path }));
            Assert.That(model.Requests[0].Authorization, Is.EqualTo("secret-key"));
            Assert.That(model.Requests[0].Body, Does.Contain("Rosengarten"));
        });
        Assert.That(await ExternalApisAsync(garden), Is.EqualTo("healthy"));
    }

    [TestCase(401, "{}")]
    [TestCase(200, "{}")]
    [TestCase(200, "not json")]
    [TestCase(200, """{"choices":[]}""")]
    [TestCase(200, """[1]""")]
    public async Task A_model_that_does_not_answer_is_replaced_by_the_rules_and_health_says_so(int status, string body)
    {
        await using var model = await StubModel.StartAsync([(status, body)]);
        await using var garden = await StartAsync("openai", model);
        var insights = await AskAsync(garden);

        Assert.That(insights.Select(insight => (string?)insight!["modelProvider"]), Is.All.EqualTo("rules"));
        Assert.That(await ExternalApisAsync(garden), Is.EqualTo("degraded"));
        Assert.That(await garden.Client.GetStringAsync("/api/metrics"), Does.Contain("""ai_insights_generated_total{insight_type="advice",model_provider="openai",success="false"} 1"""));
    }

    [Test]
    public async Task A_model_that_hangs_is_given_up_in_time()
    {
        await using var model = await StubModel.StartAsync([(0, "")]);
        await using var garden = await StartAsync("openai", model);
        Assert.That((await AskAsync(garden)).Select(insight => (string?)insight!["modelProvider"]), Is.All.EqualTo("rules"));
        Assert.That(model.Requests, Has.Count.EqualTo(3));
    }

    private static Task<RunningGarden> StartAsync(string provider, StubModel model) => RunningGarden.StartAsync(
        ("INSIGHTS_PROVIDER", provider), ("INSIGHTS_URL", model.Address), ("INSIGHTS_API_KEY", "secret-key"), ("INSIGHTS_TIMEOUT_SECONDS", "0.5"));

    private static async Task<JsonArray> AskAsync(RunningGarden garden)
    {
        var id = await RunningGarden.CreateGardenAsync(garden.Client, "Rosengarten");
        using var answer = await garden.Client.PostAsync($"/api/gardens/{id}/insights", null);
        var insights = (await RunningGarden.JsonOf(answer)).AsArray();
        var listed = await garden.Client.GetFromJsonAsync<JsonNode>($"/api/gardens/{id}/insights");
        Assert.That((int?)listed!["total"], Is.EqualTo(insights.Count));
        return insights;
    }

    private static async Task<string?> ExternalApisAsync(RunningGarden garden) =>
        (string?)(await garden.HealthAsync())["checks"]!.AsArray().Single(check => (string?)check!["name"] == "external_apis")!["status"];

    private static GardenSnapshot Snapshot(params SensorReading[] latest) => new(
        new Garden { Id = Guid.Empty, Owner = "ana", Name = "a", CreatedAt = Now, UpdatedAt = Now }, [], [.. latest], Now);

    private static SensorReading Reading(string type, double value, DateTimeOffset at) => new() { DeviceId = "d", SensorType = type, Value = value, RecordedAt = at };
}
