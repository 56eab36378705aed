using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Npgsql;
using Orchestrator.Tests.Agent;
using Orchestrator.Tests.Backups.Postgres;
using Orchestrator.Tests.Backups.Stores;
using Orchestrator.Tests.Engine;

namespace Orchestrator.Tests.Faults;

/// <summary>A host is lost under load, with its disk: what the bucket of somebody else's S3 server has, and a private key, are enough.</summary>
public sealed class LostHostTests
{
    private static readonly TimeSpan AtMost = TimeSpan.FromSeconds(5);

    [Test]
    public async Task A_host_that_is_lost_under_load_comes_back_from_the_bucket_alone_with_all_but_the_last_five_seconds()
    {
        await using var bucket = await ForeignS3Server.StartAsync();
        using var keys = new Journal.TemporaryDirectory();
        var settings = await SettingsAsync(bucket, keys.Path);
        string stack;
        IReadOnlyDictionary<int, long> acknowledged;
        await using (var host = await FaultStage.OpenAsync(settings: settings))
        {
            stack = host.Stack;
            var source = await BegunAsync(host, Path.Combine(keys.Path, "recovery.key"));
            await using var writers = new Writers(source, 2);
            await writers.UntilOlderThanAsync(AtMost, 2);

            // Both at once, as power goes: what was acknowledged until now is what counts.
            var at = TimeProvider.System.GetTimestamp();
            await host.KillAsync();
            await TestDaemon.DockerAsync($"kill -s KILL {await KeptDatabase.ContainerAsync(stack)}");
            await writers.StopAsync();
            acknowledged = writers.AcknowledgedBefore(AtMost, at);
            Assert.That(Directory.Exists(Path.Combine(host.Data, "backups")), Is.False, "nothing but the bucket has backups");
        }

        Assert.That(await TestDaemon.DockerAsync($"volume ls -q --filter label=basmalin.stack={stack}"), Is.Empty, "the host's volumes went with it");
        await using var empty = await FaultStage.OpenAsync(settings: settings);
        empty.TakeOver(stack);
        var wrong = await CliResult.OfAsync("--socket", empty.Socket, "recover", stack, "--from", "nas", "--key", Path.Combine(keys.Path, "recovery.key"));
        Assert.That(wrong.Error, Does.Contain("There is no store nas").And.Contain("offsite"));
        var recovered = await CliResult.OfAsync("--socket", empty.Socket, "recover", stack, "--from", "offsite", "--key", Path.Combine(keys.Path, "recovery.key"));
        Assert.That(recovered.ExitCode, Is.Zero, $"{recovered.Out}{recovered.Error}{empty.Tail()}");

        await using var restored = await KeptDatabase.OpenAsync(stack);
        foreach (var (client, last) in acknowledged)
        {
            var there = await KeptDatabase.AskAsync(restored, $"SELECT CASE WHEN count(*) = coalesce(max(n), 0) THEN count(*) ELSE -1 END FROM counted WHERE client = {client}");
            TestContext.Out.WriteLine($"client {client}: {last} acknowledged {AtMost.TotalSeconds} s before, {there} restored");
            Assert.That(there, Is.GreaterThanOrEqualTo(last), "without holes, and at least as many");
        }

        await empty.UntilAsync("the stack, which has services in place only, is up again", async () =>
            (await empty.StatusAsync())!["services"]!.AsArray() is [var only] && $"{only!["service"]} {only["health"]}" == "postgres healthy");
        // The new machine has a key of its own when somebody says so; then the backups go on.
        Assert.That((await CliResult.OfAsync("--socket", empty.Socket, "status", stack)).Out, Does.Contain("backups: This host has no key of its own"));
        Assert.That((await CliResult.OfAsync("--socket", empty.Socket, "backup", "init", "--host-key")).ExitCode, Is.Zero);
        Assert.That((await CliResult.OfAsync("--socket", empty.Socket, "backup", "run", stack)).ExitCode, Is.Zero, empty.Tail());
    }

    /// <summary>A database that is streamed into the bucket, with a first set there, and a key that is kept elsewhere.</summary>
    private static async Task<NpgsqlDataSource> BegunAsync(FaultStage host, string keyFile)
    {
        var init = await CliResult.OfAsync("--socket", host.Socket, "backup", "init", "--json");
        Assert.That(init.ExitCode, Is.Zero, init.Error);
        await File.WriteAllTextAsync(keyFile, init.Json["identity"]!.GetValue<string>());
        await host.SubmitAsync(HttpMethod.Post, $"stacks?directory={host.Directory}", KeptDatabase.Compose(host.Stack, "wal: true"));
        var applied = await host.EndedAsync();
        Assert.That(applied?["state"]?.GetValue<string>(), Is.EqualTo("succeeded"), host.Tail());

        var source = await KeptDatabase.OpenAsync(host.Stack);
        await KeptDatabase.ExecuteAsync(source, Writers.Table);
        await host.UntilAsync("the log is received", async () =>
            (await host.Api.GetFromJsonAsync<JsonNode>($"/api/v1/stacks/{host.Stack}/backups"))!["streams"]!.AsArray().Any(stream => stream!["streaming"]!.GetValue<bool>()));
        var made = await CliResult.OfAsync("--socket", host.Socket, "backup", "run", host.Stack);
        Assert.That(made.ExitCode, Is.Zero, $"{made.Error}{host.Tail()}");
        Assert.That(made.Out, Does.Contain("in offsite whole"));
        return source;
    }

    private static async Task<string> SettingsAsync(ForeignS3Server bucket, string directory)
    {
        var key = Path.Combine(directory, "s3.key");
        await File.WriteAllTextAsync(key, ForeignS3Server.Key);
        File.SetUnixFileMode(key, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        return $"backups: {{ directory: none, stores: [ {{ name: offsite, endpoint: \"{bucket.Endpoint}\", bucket: {ForeignS3Server.Bucket}, prefix: host1, access_key_file: {key}, secret_key_file: {key} }} ] }}\n";
    }
}
