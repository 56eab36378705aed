using System.Collections.Immutable;
using Orchestrator.Docker;
using Orchestrator.Stacks;

namespace Orchestrator.Backups.Redis;

/// <summary>
/// A Redis of the service's own image, for the time in which it turns a copy and the commands behind it into one file, for a service that keeps no append-only
/// file. It listens on no port.
/// </summary>
internal sealed class RedisReplayServer(IContainerEngine engine, TimeProvider time)
{
    private const string Socket = "/tmp/basmalin-replay.sock";

    private static readonly TimeSpan LookAgain = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan RemovalBudget = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan SilenceBeforeLoading = TimeSpan.FromSeconds(30);

    /// <param name="directory">Has the append-only directory; gets <c>dump.rdb</c>.</param>
    public async Task SaveAsync(RestoreTarget target, string directory, CancellationToken cancellationToken)
    {
        var id = await engine.CreateAsync(
            new ContainerRequest
            {
                Name = $"{target.Stack}-{target.Service.Name}-replay-{Guid.NewGuid():n}",
                Image = target.Image,
                Labels = ImmutableSortedDictionary<string, string>.Empty.Add(Labels.Stack, target.Stack).Add(Labels.Service, target.Service.Name).Add(Labels.Kind, "backup"),
                Settings = new ContainerSettings { Command = ["redis-server", "--port", "0", "--unixsocket", Socket, "--dir", "/data", "--appendonly", "yes", "--save", ""] },
                Networks = [new("none", [])],
                Mounts = [new(MountKind.Bind, directory, "/data", ReadOnly: false, CreateHostPath: false)],
            },
            cancellationToken);
        try
        {
            await engine.StartAsync(id, cancellationToken);
            await UntilLoadedAsync(id, target, cancellationToken);
            var saved = await engine.ExecAsync(id, ["redis-cli", "-s", Socket, "SAVE"], null, cancellationToken);
            if (saved.ExitCode != 0 || !saved.Output.Contains("OK", StringComparison.Ordinal)) throw await FailedAsync(id, target, $"did not save: {saved.Output.Trim()}", cancellationToken);
        }
        finally
        {
            using var budget = new CancellationTokenSource(RemovalBudget, time);
            await engine.RemoveAsync(id, TimeSpan.Zero, budget.Token);
        }
    }

    private async Task UntilLoadedAsync(ContainerId id, RestoreTarget target, CancellationToken cancellationToken)
    {
        var began = time.GetTimestamp();
        while (true)
        {
            var answer = await engine.ExecAsync(id, ["redis-cli", "-s", Socket, "PING"], null, cancellationToken);
            if (answer.Output.Contains("PONG", StringComparison.Ordinal)) return;

            var loading = answer.Output.Contains("LOADING", StringComparison.Ordinal);
            if (await engine.InspectAsync(id, cancellationToken) is not { State: ContainerState.Running } || (!loading && time.GetElapsedTime(began) > SilenceBeforeLoading))
                throw await FailedAsync(id, target, $"did not load what was received: {answer.Output.Trim()}", cancellationToken);
            await Task.Delay(LookAgain, time, cancellationToken);
        }
    }

    private async Task<BackupFailedException> FailedAsync(ContainerId id, RestoreTarget target, string what, CancellationToken cancellationToken)
    {
        var words = await engine.TailAsync(id, 10, cancellationToken);
        return new(
            $"{target.Service.Name}: a Redis of {target.Image} {what}{(words.IsEmpty ? "" : $"; its last words: {string.Join(" / ", words.Select(line => line.Text.Trim()))}")}",
            "Restore the set itself, without what came after it, or with the image that the set was made of.");
    }
}
