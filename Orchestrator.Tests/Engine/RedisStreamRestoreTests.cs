using System.Globalization;
using Orchestrator.Backups.Sets;
using Orchestrator.Deployments;
using Orchestrator.Docker;
using Orchestrator.Tests.GardenApp;
using Orchestrator.Tests.Journal;

namespace Orchestrator.Tests.Engine;

/// <summary>A stack's Redis with <c>stream: true</c>: received from its deployment on, and brought back to a second.</summary>
public sealed class RedisStreamRestoreTests
{
    [Test]
    public async Task A_Redis_that_was_killed_is_brought_back_to_the_second_before_somebody_emptied_it()
    {
        using var store = new TemporaryDirectory();
        await using var daemon = await TestDaemon.WithBackupsAsync(store.Path);
        var name = TestDaemon.NewName();
        var first = await daemon.ApplyAsync(Compose(name));
        Assert.That(first.State, Is.EqualTo(DeploymentState.Succeeded), first.Failure?.ToString());
        Assert.That(first.Plan!.Notes, Is.Empty, "nothing of it is left for a later version");
        var streams = daemon.Get<ContinuousStreams>();
        await streams.KeepAsync(CancellationToken.None);
        await UntilAsync(streams, state => state.Streaming);
        await AskAsync(daemon, name, "SET first 1");
        var set = await daemon.FinishAsync(daemon.Backups.BackUp(name, "manual"));
        Assert.That(set.State, Is.EqualTo(OperationState.Succeeded), set.Problem);

        await ReceivedAsync(daemon, name, "SET kept 1");
        await NextSecondAsync();
        var moment = DateTimeOffset.FromUnixTimeSeconds(TimeProvider.System.GetUtcNow().ToUnixTimeSeconds());
        await AskAsync(daemon, name, "FLUSHALL");
        await ReceivedAsync(daemon, name, "SET after 1");

        var before = await ContainerAsync(daemon, name);
        await TestDaemon.DockerAsync($"kill -s KILL {before.Id}");
        await UntilAsync(streams, state => !state.Streaming);
        await TestDaemon.DockerAsync($"start {before.Id}");
        await UntilAsync(streams, state => state.Streaming && state.OffHostLag == TimeSpan.Zero);
        Assert.That(await AskAsync(daemon, name, "GET after"), Is.EqualTo("1"));

        var to = moment.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
        var restored = await daemon.FinishAsync(await daemon.Restores.RestoreAsync(name, to, "test", CancellationToken.None));

        Assert.That(restored.State, Is.EqualTo(OperationState.Succeeded), restored.Problem);
        Assert.That(await AskAsync(daemon, name, "MGET first kept after"), Is.EqualTo("1\n1\n"));
    }

    private static string Compose(string name) => $$"""
        name: {{name}}
        services:
          cache:
            image: {{Garden.Registry}}/redis:7
            command: ["redis-server", "--appendonly", "yes", "--repl-diskless-sync-delay", "0"]
            volumes: [ "data:/data" ]
            stop_grace_period: 5s
            x-basmalin:
              backup: { kind: redis, stream: true }
        volumes:
          data: {}
        """;

    private static Task UntilAsync(ContinuousStreams streams, Func<StreamState, bool> so) => Eventually.TrueAsync(
        () => Task.FromResult(streams.States.Any(so)), $"the stream is as wanted: {string.Join("; ", streams.States)}");

    private static async Task<ObservedContainer> ContainerAsync(TestDaemon daemon, string name) =>
        (await daemon.ContainersAsync(name)).Single(seen => seen is { Service: "cache", State: ContainerState.Running, IsOneShot: false });

    private static async Task<string> AskAsync(TestDaemon daemon, string name, string command)
    {
        var result = await daemon.Engine.ExecAsync((await ContainerAsync(daemon, name)).Id, ["redis-cli", .. command.Split(' ')], null, CancellationToken.None);
        Assert.That(result.ExitCode, Is.Zero, result.Output);
        return command.StartsWith("MGET", StringComparison.Ordinal) ? result.Output.ReplaceLineEndings("\n").TrimEnd('\n') + "\n" : result.Output.Trim();
    }

    /// <summary>Waits as a client does that wants to be sure: until the daemon has it on its disk.</summary>
    private static async Task ReceivedAsync(TestDaemon daemon, string name, string command)
    {
        var result = await daemon.Engine.ExecAsync((await ContainerAsync(daemon, name)).Id, ["sh", "-c", $"printf '{command}\nWAIT 1 60000\n' | redis-cli"], null, CancellationToken.None);
        Assert.That(result.Output.ReplaceLineEndings("\n").Trim(), Is.EqualTo("OK\n1"));
    }

    private static async Task NextSecondAsync()
    {
        // The grain of restores by time is a second: what is compared must lie in different ones.
        var now = TimeProvider.System.GetUtcNow();
        await Task.Delay(TimeSpan.FromMilliseconds(1000 - now.Millisecond + 50), TimeProvider.System, CancellationToken.None);
    }
}
