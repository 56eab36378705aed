using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Orchestrator.Tests.Agent;
using Orchestrator.Tests.Engine;

namespace Orchestrator.Tests.Faults;

/// <summary>SIGKILL of the real daemon in the middle of a backup and of a drill: neither leaves anything, and both are done again.</summary>
public sealed class KilledBackupTests
{
    [Test]
    public async Task A_daemon_that_is_killed_in_the_middle_of_a_backup_and_of_a_drill_leaves_nothing_of_either()
    {
        await using var stage = await FaultStage.OpenAsync();
        await stage.SubmitAsync(HttpMethod.Post, $"stacks?directory={stage.Directory}", Compose(stage.Stack));
        var applied = await stage.EndedAsync();
        Assert.That(applied?["state"]?.GetValue<string>(), Is.EqualTo("succeeded"), stage.Tail());
        var id = (await RunningAsync(stage)).Trim();
        await stage.UntilAsync("the database is set up", async () => (await TestDaemon.DockerAsync($"inspect -f {{{{.State.Health.Status}}}} {id}")).Trim() == "healthy");
        await SqlAsync(stage, "CREATE TABLE kept AS SELECT g AS id, md5(g::text) || md5((g + 1)::text) AS body FROM generate_series(1, 400000) g");

        await KilledAsync(stage, $"stacks/{stage.Stack}/backups", "database files");
        Assert.That(await ToolsAsync(stage), Is.Not.Empty, "it was in the middle of it");
        await stage.StartAsync();
        var first = (await BooksAsync(stage))["sets"]![0]!;
        Assert.That((first["state"]!.GetValue<string>(), first["problem"]!.GetValue<string>()), Is.EqualTo(("failed", "The daemon ended in the middle of it.")));
        var stored = Directory.EnumerateFiles(Path.Combine(stage.Data, "backups"), "*", SearchOption.AllDirectories);
        Assert.That(stored.Where(file => !file.Contains("/.pending/", StringComparison.Ordinal)), Is.Empty, "what was never published is swept when it is old; nothing else is there");

        Assert.That(await ToolsAsync(stage), Is.Empty);
        Assert.That(Directory.EnumerateFileSystemEntries(Path.Combine(stage.Data, "backup-work")), Is.Empty, "the password went with the pipe");

        var made = await DoneAsync(stage, $"stacks/{stage.Stack}/backups");
        Assert.That(made["state"]!.GetValue<string>(), Is.EqualTo("succeeded"), made.ToJsonString());
        var set = made["result"]!.GetValue<string>();

        await KilledAsync(stage, $"backups/{stage.Stack}.{set}/drill", "recovering to the wanted moment");
        Assert.That(await ShadowsAsync(stage), Is.Not.Empty, "it was in the middle of it");
        var running = await RunningAsync(stage);
        await stage.StartAsync();
        Assert.That(await ShadowsAsync(stage), Is.Empty);
        Assert.That(await RunningAsync(stage), Is.EqualTo(running), "production is as it was");
        Assert.That((await BooksAsync(stage))["sets"]![0]!["provedAt"], Is.Null, "half a drill proves nothing");

        var drilled = await DoneAsync(stage, $"backups/{stage.Stack}.{set}/drill");
        Assert.That(drilled["state"]!.GetValue<string>(), Is.EqualTo("succeeded"), drilled.ToJsonString());
        Assert.That((await BooksAsync(stage))["sets"]![0]!["provedAt"], Is.Not.Null);
        Assert.That(await ShadowsAsync(stage), Is.Empty);
    }

    /// <summary>Begins it and kills the daemon as soon as it says that it is there.</summary>
    private static async Task KilledAsync(FaultStage stage, string path, string where)
    {
        var begun = await PostAsync(stage, path);
        await stage.UntilAsync($"it is at '{where}'", async () =>
        {
            var now = await stage.Api.GetFromJsonAsync<JsonNode>($"/api/v1/operations/{begun["id"]!.GetValue<long>()}");
            Assert.That(now!["state"]!.GetValue<string>(), Is.AnyOf("waiting", "running"), now.ToJsonString());
            if (!now["what"]!.GetValue<string>().Contains(where, StringComparison.Ordinal)) return false;
            if (where == "database files") Assert.That(now["of"]?.GetValue<long>(), Is.GreaterThan(1 << 20), "it says how far it is, and of how much");
            return true;
        });
        await stage.KillAsync();
    }

    private static async Task<JsonNode> DoneAsync(FaultStage stage, string path)
    {
        var operation = await PostAsync(stage, path);
        await stage.UntilAsync("it has ended", async () =>
        {
            operation = (await stage.Api.GetFromJsonAsync<JsonNode>($"/api/v1/operations/{operation["id"]!.GetValue<long>()}"))!;
            return operation["state"]!.GetValue<string>() is "succeeded" or "failed";
        });
        return operation;
    }

    private static async Task<JsonNode> PostAsync(FaultStage stage, string path)
    {
        using var answer = await stage.Api.PostAsync($"/api/v1/{path}", null);
        Assert.That(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync());
        return await RunningDaemon.JsonAsync(answer);
    }

    private static async Task<JsonNode> BooksAsync(FaultStage stage) => (await stage.Api.GetFromJsonAsync<JsonNode>($"/api/v1/stacks/{stage.Stack}/backups"))!;

    /// <summary>What there is of drills on the engine.</summary>
    private static async Task<string[]> ShadowsAsync(FaultStage stage)
    {
        var all = await TestDaemon.DockerAsync("ps -a --format {{.Names}}") + await TestDaemon.DockerAsync("network ls --format {{.Name}}") + await TestDaemon.DockerAsync("volume ls --format {{.Name}}");
        return [.. all.Split('\n').Where(name => name.StartsWith($"{stage.Stack}.drill", StringComparison.Ordinal))];
    }

    /// <summary>What it copied with.</summary>
    private static async Task<string> ToolsAsync(FaultStage stage) => await TestDaemon.DockerAsync($"ps -aq --filter label=basmalin.stack={stage.Stack} --filter label=basmalin.kind=backup");

    private static async Task<string> RunningAsync(FaultStage stage) =>
        await TestDaemon.DockerAsync($"ps --no-trunc --filter label=basmalin.stack={stage.Stack} --filter label=basmalin.kind=service --format {{{{.ID}}}}");

    private static async Task SqlAsync(FaultStage stage, string sql) =>
        await TestDaemon.DockerAsync($"exec {(await RunningAsync(stage)).Trim()} psql -U garden -d garden -qAt -c \"{sql}\"");

    private static string Compose(string stack) => $$"""
        name: {{stack}}
        services:
          postgres:
            image: {{Garden.Registry}}/postgres:15
            environment: { POSTGRES_USER: garden, POSTGRES_PASSWORD: garden, POSTGRES_DB: garden }
            volumes: [ "pgdata:/var/lib/postgresql/data" ]
            stop_grace_period: 20s
            healthcheck: { test: ["CMD", "pg_isready", "-h", "127.0.0.1"], interval: 1s, timeout: 2s, retries: 20 }
            x-basmalin:
              backup: { kind: postgres }
        volumes:
          pgdata: {}
        """;
}
