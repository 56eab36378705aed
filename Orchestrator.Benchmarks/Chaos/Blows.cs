using Orchestrator.Agent.Api.Contracts;
using Orchestrator.Docker;

namespace Orchestrator.Benchmarks.Chaos;

/// <summary>What is done to daemon, engine and containers behind the daemon's back.</summary>
internal sealed class Blows(ChaosScene scene)
{
    // Seen with Docker 20.10: one that was killed keeps endpoints of containers that are no more.
    private const string LeftOver = "ep-";

    // What was under way on a replica when it was removed has failed by then, and the daemon has heard of it.
    private static readonly TimeSpan Settling = TimeSpan.FromSeconds(1);

    /// <summary>Does it, until it is done; what comes of it is for others to see.</summary>
    /// <returns>The excuses that last until the stack is served again.</returns>
    public Task<Excuse?> StrikeAsync(ChaosAct act, CancellationToken cancellationToken) => act.Kind switch
    {
        ActKind.KillDaemon => RestartDaemonAsync(act, ExcuseKind.NoDaemon, cancellationToken),
        ActKind.RestartDaemon => RestartDaemonAsync(act, ExcuseKind.DaemonEnds, cancellationToken),
        ActKind.StopEngine => RestartEngineAsync(act, hard: false, liveRestore: false, cancellationToken),
        ActKind.KillEngine => RestartEngineAsync(act, hard: true, liveRestore: false, cancellationToken),
        ActKind.StopEngineLive => RestartEngineAsync(act, hard: false, liveRestore: true, cancellationToken),
        ActKind.KillEngineLive => RestartEngineAsync(act, hard: true, liveRestore: true, cancellationToken),
        ActKind.FreezeEngine => FreezeAsync(act, cancellationToken),
        ActKind.RemoveReplica => RemoveAsync(act, ChaosStacks.Main, ChaosStacks.App, cancellationToken),
        ActKind.RemoveOnlyReplica => RemoveAsync(act, ChaosStacks.Other, ChaosStacks.App, cancellationToken),
        ActKind.RemoveStateful => RemoveAsync(act, ChaosStacks.Main, ChaosStacks.Keys, cancellationToken),
        ActKind.RemoveNetwork => RemoveNetworkAsync(act, cancellationToken),
        _ => throw new InvalidOperationException($"{act.Kind} is no blow."),
    };

    private async Task<Excuse?> RestartDaemonAsync(ChaosAct act, ExcuseKind kind, CancellationToken cancellationToken)
    {
        Excuse? excuse = null;
        await scene.Daemon.RestartAsync(
            hard: kind == ExcuseKind.NoDaemon,
            ending: () => excuse = scene.Excuses.Open(kind, act.Kind, null),
            back: () => scene.Excuses.End(excuse ?? throw new InvalidOperationException("It is back and was never away.")),
            cancellationToken);
        return null;
    }

    private async Task<Excuse?> RestartEngineAsync(ChaosAct act, bool hard, bool liveRestore, CancellationToken cancellationToken)
    {
        var excuse = liveRestore ? null : scene.Excuses.Open(ExcuseKind.NoReplica, act.Kind, null);
        await scene.Engine.RestartAsync(hard, liveRestore, cancellationToken);
        return excuse;
    }

    private async Task<Excuse?> FreezeAsync(ChaosAct act, CancellationToken cancellationToken)
    {
        await scene.Engine.FreezeAsync(act.Span, cancellationToken);
        return null;
    }

    private async Task<Excuse?> RemoveAsync(ChaosAct act, string stack, string service, CancellationToken cancellationToken)
    {
        var live = LiveOf(await scene.Daemon.StatusAsync(stack, cancellationToken), service);
        if (live.Count == 0) return null;                   // another blow was there first

        var routed = service == ChaosStacks.App;
        var excuse = routed ? scene.Excuses.Open(live.Count > 1 ? ExcuseKind.NotRepeatable : ExcuseKind.NoReplica, act.Kind, stack) : null;
        await RemoveContainerAsync(live[act.Pick % live.Count].Id, cancellationToken);
        if (excuse?.Kind != ExcuseKind.NotRepeatable) return excuse;

        await Task.Delay(Settling, scene.Time, cancellationToken);
        scene.Excuses.End(excuse);
        return null;
    }

    /// <summary>Gone already is as good.</summary>
    public async Task RemoveContainerAsync(string id, CancellationToken cancellationToken)
    {
        try
        {
            await scene.DockerAsync(["rm", "-f", id], cancellationToken);
        }
        catch (InvalidOperationException gone) when (gone.Message.Contains("No such container", StringComparison.OrdinalIgnoreCase) || gone.Message.Contains("already in progress", StringComparison.Ordinal))
        {
            return;
        }
    }

    private async Task<Excuse?> RemoveNetworkAsync(ChaosAct act, CancellationToken cancellationToken)
    {
        var stack = act.Pick % 3 == 0 ? ChaosStacks.Other : ChaosStacks.Main;
        var networks = await scene.DockerLinesAsync(["network", "ls", "--filter", $"label={Labels.Stack}={stack}", "--format", "{{.Name}}"], cancellationToken);
        if (networks.Length == 0) return null;

        var network = networks[act.Pick / 3 % networks.Length];
        var excuse = scene.Excuses.Open(ExcuseKind.NoReplica, act.Kind, stack);
        var moment = scene.Excuses.Open(ExcuseKind.AddressLost, act.Kind, stack);
        try
        {
            await TakeAwayAsync(network, cancellationToken);
        }
        catch
        {
            scene.Excuses.End(excuse);
            scene.Excuses.End(moment);
            throw;
        }

        await scene.Daemon.StatusAsync(stack, cancellationToken);      // one that is just being started has not heard of it yet
        await Task.Delay(Settling, scene.Time, cancellationToken);
        scene.Excuses.End(moment);
        return excuse;
    }

    private async Task TakeAwayAsync(string network, CancellationToken cancellationToken)
    {
        for (var attempt = 1; attempt <= 5; attempt++)
        {
            try
            {
                var joined = await scene.DockerAsync(["network", "inspect", "--format", "{{range $id, $seen := .Containers}}{{$id}}\n{{end}}", network], cancellationToken);
                foreach (var container in joined.Split('\n', StringSplitOptions.RemoveEmptyEntries).Where(id => !id.StartsWith(LeftOver, StringComparison.Ordinal)))
                    await scene.DockerAsync(["network", "disconnect", "-f", network, container], cancellationToken);
                await scene.DockerAsync(["network", "rm", network], cancellationToken);
                return;
            }
            catch (InvalidOperationException refused) when (attempt < 5 || refused.Message.Contains("active endpoints", StringComparison.Ordinal))
            {
                continue;       // somebody has joined it again meanwhile, or the engine has an endpoint of nobody
            }
        }
    }

    private static List<ContainerResponse> LiveOf(StackResponse status, string service) =>
        [.. status.Services.Where(one => one.Service == service).SelectMany(one => one.Containers).Where(container => container is { Live: true, State: "running" })];
}
