using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using GardenApp.Migrations;

namespace Orchestrator.Tests.GardenApp;

public sealed class HealthTests
{
    [Test]
    public async Task A_complete_application_is_healthy_and_says_so_check_by_check()
    {
        await using var garden = await RunningGarden.StartAsync(("GARDEN_VERSION", "1.2.3"));
        using var answer = await garden.Client.GetAsync("/api/health");
        var health = await RunningGarden.JsonOf(answer);
        Assert.Multiple(() =>
        {
            Assert.That(health.AsObject().Select(field => field.Key), Is.EqualTo(new[] { "status", "timestamp", "checks", "uptime", "version" }));
            Assert.That(((string?)health["status"], (string?)health["version"]), Is.EqualTo(("healthy", "1.2.3")));
            Assert.That((double)health["uptime"]!, Is.GreaterThan(0));
            Assert.That(Names(health), Is.EqualTo(new[] { "database", "redis", "external_apis", "disk_space", "memory" }));
            Assert.That(health["checks"]!.AsArray().Select(check => string.Join(' ', check!.AsObject().Select(field => field.Key))), Is.All.EqualTo("name status details"));
        });
    }

    [Test]
    public async Task It_starts_while_the_database_is_away_and_becomes_healthy_when_it_comes()
    {
        var port = Backing.FreePort();
        await using var garden = await RunningGarden.StartBareAsync(("DATABASE_URL", Backing.DatabaseUrl("garden", port)));
        using var up = await garden.Client.GetAsync("/up");
        using var health = await garden.Client.GetAsync("/api/health");
        using var gardens = await garden.Client.GetAsync("/api/gardens");
        Assert.That((up.StatusCode, health.StatusCode, gardens.StatusCode), Is.EqualTo((HttpStatusCode.OK, HttpStatusCode.ServiceUnavailable, HttpStatusCode.ServiceUnavailable)));

        var postgres = await DockerCli.RunAsync("run", "-d", "--label", "basmalin.test=garden-app", "-p", $"127.0.0.1:{port}:5432", "--tmpfs", "/var/lib/postgresql/data",
            "-e", "POSTGRES_USER=garden", "-e", "POSTGRES_PASSWORD=p@ss/w%rd", $"{DockerCli.Registry}/postgres:15");
        try
        {
            // It waits for the server itself.
            Assert.That(await MigrateVerb.RunAsync(garden.Settings, TextWriter.Null, CancellationToken.None), Is.Zero);
            Assert.That((string?)(await garden.HealthAsync())["status"], Is.EqualTo("healthy"));
        }
        finally
        {
            await DockerCli.RunAsync("rm", "-f", "-v", postgres);
        }
    }

    [Test]
    public async Task A_database_that_is_not_migrated_is_unhealthy_and_the_report_says_what_to_run()
    {
        await using var garden = await RunningGarden.StartBareAsync(("DATABASE_URL", await Backing.NewDatabaseAsync()));
        Assert.That(Check(await garden.HealthAsync(), "database"), Is.EqualTo(("unhealthy", "not migrated: run 'GardenApp migrate'")));
        using var gardens = await garden.Client.GetAsync("/api/gardens");
        Assert.That(gardens.StatusCode, Is.EqualTo(HttpStatusCode.ServiceUnavailable));
        Assert.That(await gardens.Content.ReadAsStringAsync(), Does.Contain("GardenApp migrate"));
    }

    [Test]
    public async Task It_works_on_without_Redis_and_uses_it_again_when_it_is_back()
    {
        var port = Backing.FreePort();
        var redis = await DockerCli.RunAsync("run", "-d", "--label", "basmalin.test=garden-app", "-p", $"127.0.0.1:{port}:6379", "--tmpfs", "/data", $"{DockerCli.Registry}/redis:7");
        try
        {
            await Backing.HealthyAsync(redis);
            await using var garden = await RunningGarden.StartAsync(("REDIS_URL", $"redis://127.0.0.1:{port}"));
            Assert.That((string?)(await garden.HealthAsync())["status"], Is.EqualTo("healthy"));
            await DockerCli.RunAsync("kill", redis);

            // Reads, writes and health go on; only sessions are refused.
            for (var number = 0; number < 5; number++)
            {
                var id = await RunningGarden.CreateGardenAsync(garden.Client, $"without {number}");
                using var read = await garden.Client.GetAsync($"/api/gardens/{id}");
                Assert.That((read.StatusCode, read.Headers.GetValues("X-Cache").Single()), Is.EqualTo((HttpStatusCode.OK, "bypass")));
            }
            using var session = await garden.Client.PostAsJsonAsync("/api/sessions", new { user = "ana" });
            var health = await garden.HealthAsync();
            Assert.That((session.StatusCode, (string?)health["status"], Check(health, "redis").Status), Is.EqualTo((HttpStatusCode.ServiceUnavailable, "degraded", "degraded")));

            await DockerCli.RunAsync("start", redis);
            await Eventually.TrueAsync(async () => (string?)(await garden.HealthAsync())["status"] == "healthy", "Redis is used again");
            var total = (int?)(await garden.Client.GetFromJsonAsync<JsonNode>("/api/gardens"))!["total"];
            Assert.That(total, Is.EqualTo(5));
        }
        finally
        {
            await DockerCli.RunAsync("rm", "-f", "-v", redis);
        }
    }

    [Test]
    public async Task A_Redis_that_accepts_and_says_nothing_costs_a_few_requests_a_moment_and_the_others_nothing()
    {
        // A server that takes connections and never answers is the slowest way for Redis to be dead.
        using var silent = new System.Net.Sockets.TcpListener(IPAddress.Loopback, 0);
        silent.Start();
        await using var garden = await RunningGarden.StartAsync(("REDIS_URL", $"redis://127.0.0.1:{((IPEndPoint)silent.LocalEndpoint).Port}"));
        using var warm = await garden.Client.GetAsync("/api/gardens");
        var watch = System.Diagnostics.Stopwatch.StartNew();
        for (var number = 0; number < 40; number++)
        {
            using var read = await garden.Client.GetAsync("/api/gardens");
            Assert.That(read.StatusCode, Is.EqualTo(HttpStatusCode.OK));
        }
        // Without the breaker: forty times a quarter of a second.
        Assert.That(watch.Elapsed, Is.LessThan(TimeSpan.FromSeconds(6)));
    }

    [Test]
    public async Task Without_any_dependency_it_shows_one_sample_garden_and_keeps_nothing()
    {
        await using var garden = await RunningGarden.StartBareAsync();
        var page = await garden.Client.GetFromJsonAsync<JsonNode>("/api/gardens");
        using var write = await garden.Client.PostAsJsonAsync("/api/gardens", new { name = "a" });
        Assert.That(((int?)page!["total"], (string?)(await garden.HealthAsync())["status"], write.StatusCode), Is.EqualTo(((int?)1, "healthy", HttpStatusCode.ServiceUnavailable)));
    }

    [Test]
    public async Task Metrics_have_the_names_and_labels_that_dashboards_expect()
    {
        await using var garden = await RunningGarden.StartAsync();
        await RunningGarden.CreateGardenAsync(garden.Client, "measured");
        using var unknown = await garden.Client.GetAsync("/nowhere/at/all");
        using var readings = await garden.Client.PostAsJsonAsync("/api/sensors/readings", new[] { new { deviceId = "m1", sensorType = "ph", value = 7 } });
        var metrics = await garden.Client.GetStringAsync("/api/metrics");
        Assert.Multiple(() =>
        {
            foreach (var bucket in new[] { "0.1", "0.5", "1", "2", "5" })
                Assert.That(metrics, Does.Contain($$"""http_request_duration_seconds_bucket{method="POST",route="/api/gardens",status_code="201",le="{{bucket}}"} """));
            Assert.That(metrics, Does.Contain("""http_request_duration_seconds_count{method="GET",route="unmatched",status_code="404"} 1"""));
            Assert.That(metrics, Does.Contain("""iot_sensor_readings_total{sensor_type="ph",device_id="m1",status="accepted"} 1"""));
            Assert.That(metrics, Does.Contain("# TYPE ai_insights_generated_total counter"));
            Assert.That(metrics, Does.Contain("user_sessions_active "));
            Assert.That(metrics, Does.Contain("database_connections_active 0"));
        });
    }

    private static IEnumerable<string?> Names(JsonNode health) => health["checks"]!.AsArray().Select(check => (string?)check!["name"]);

    private static (string? Status, string? Details) Check(JsonNode health, string name)
    {
        var check = health["checks"]!.AsArray().Single(check => (string?)check!["name"] == name)!;
        return ((string?)check["status"], (string?)check["details"]);
    }
}
