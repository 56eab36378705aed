using System.Collections.Immutable;
using Microsoft.Extensions.Logging;
using Orchestrator.Backups;
using Orchestrator.Deployments;
using Orchestrator.Docker;
using Orchestrator.Stacks;

namespace Orchestrator.Restores;

/// <summary>Makes what a shadow consists of, and takes all of it away again: also after the daemon ended in the middle.</summary>
public sealed partial class ShadowRuns(StackContainers containers, GrantedFiles files, Gates gates, RestoreLedger ledger, ILogger<ShadowRuns> logger)
{
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(10);

    private IContainerEngine Engine => containers.Engine;

    /// <summary>Networks and empty volumes. Written down before anything is made.</summary>
    public async Task PrepareAsync(Shadow shadow, CancellationToken cancellationToken)
    {
        await ledger.BeginShadowAsync(shadow.Name, shadow.Original.Stack.Name, cancellationToken);
        var stack = shadow.Release.Stack;
        var mounted = stack.Services.SelectMany(spec => spec.Container.Mounts).Where(mount => mount.Kind == MountKind.Volume).Select(mount => mount.Source).ToHashSet();
        await containers.EnsureNetworksAndVolumesAsync(stack with { Volumes = [.. stack.Volumes.Where(volume => mounted.Contains(volume.Key))] }, cancellationToken);
    }

    /// <summary>Networks alone: the volumes are made by whoever keeps them.</summary>
    public async Task PrepareNetworksAsync(Shadow shadow, CancellationToken cancellationToken)
    {
        await ledger.BeginShadowAsync(shadow.Name, shadow.Original.Stack.Name, cancellationToken);
        await containers.EnsureNetworksAndVolumesAsync(shadow.Release.Stack with { Volumes = [] }, cancellationToken);
    }

    /// <summary>Starts a service and waits until it is well.</summary>
    /// <exception cref="BackupFailedException">It is not.</exception>
    public async Task<ObservedContainer> StartAsync(Shadow shadow, ServiceSpec spec, CancellationToken cancellationToken)
    {
        var generation = new Planning.Generation(Colour.Blue, shadow.Release.Number);
        var place = new Placement(shadow.Release, spec.Coloured ? Colour.Blue : null, 1, shadow.Original.Deployment);
        var granted = shadow.Original.Stack.Find(spec.Name) is { } original ? await files.MountsAsync(shadow.Original, original, cancellationToken) : [];
        var id = await Engine.CreateAsync(ContainerRequests.For(spec, place, granted), cancellationToken);
        await Engine.StartAsync(id, cancellationToken);
        if (spec.Coloured) await containers.TakeNamesAsync(shadow.Release.Stack, spec, generation, cancellationToken);

        var started = await Engine.InspectAsync(id, cancellationToken) ?? throw Gone(spec);
        var result = await gates.WaitAsync(shadow.Release, spec, started, null, cancellationToken);
        if (!result.Healthy)
        {
            var words = await containers.LastWordsAsync(id, cancellationToken);
            throw new BackupFailedException($"{spec.Name} did not come up on the restored data: {result.Reason}.\n{words}", "The last lines that it wrote are above.");
        }

        return await Engine.InspectAsync(id, cancellationToken) ?? throw Gone(spec);
    }

    public async Task<bool> RunsAsync(ContainerId id, CancellationToken cancellationToken) => await Engine.InspectAsync(id, cancellationToken) is { State: ContainerState.Running };

    public Task<string> LastWordsAsync(ContainerId id, CancellationToken cancellationToken) => containers.LastWordsAsync(id, cancellationToken);

    /// <summary>Names of the services that run in it.</summary>
    public async Task<ImmutableArray<string>> RunningAsync(Shadow shadow, CancellationToken cancellationToken) =>
        [.. (await Engine.ListAsync(shadow.Name, cancellationToken)).Where(seen => seen.State == ContainerState.Running).Select(seen => seen.Service)];

    /// <summary>Stops a service as it wants to be stopped, so that its files are whole, and removes its container; its volumes stay.</summary>
    public async Task StopAsync(Shadow shadow, ServiceSpec spec, CancellationToken cancellationToken)
    {
        foreach (var container in (await Engine.ListAsync(shadow.Name, cancellationToken)).Where(seen => seen.Service == spec.Name))
        {
            await Engine.StopAsync(container.Id, spec.Container.StopGracePeriod < Grace ? Grace : spec.Container.StopGracePeriod, cancellationToken);
            await Engine.RemoveAsync(container.Id, TimeSpan.Zero, cancellationToken);
        }
    }

    /// <summary>Takes everything away that bears the name. What fails is tried again at the next start.</summary>
    public async Task RemoveAsync(string name, CancellationToken cancellationToken)
    {
        try
        {
            foreach (var container in await Engine.ListAsync(name, cancellationToken)) await Engine.RemoveAsync(container.Id, TimeSpan.Zero, cancellationToken);
            foreach (var network in await Engine.NetworksOfAsync(name, cancellationToken)) await Engine.RemoveNetworkAsync(network, cancellationToken);
            var kept = 0;
            foreach (var volume in await Engine.VolumesOfAsync(name, cancellationToken))
            {
                if (!await Engine.RemoveVolumeAsync(volume, cancellationToken)) kept++;
            }

            if (kept == 0) await ledger.EndShadowAsync(name, cancellationToken);
        }
        catch (EngineException failure)
        {
            LogNotRemoved(name, failure.Message);
        }
    }

    /// <summary>What an earlier run of the daemon left behind.</summary>
    public async Task SweepAsync(CancellationToken cancellationToken)
    {
        foreach (var name in await ledger.ShadowsAsync(cancellationToken))
        {
            await RemoveAsync(name, cancellationToken);
            LogSwept(name);
        }
    }

    private static BackupFailedException Gone(ServiceSpec spec) => new($"The container of {spec.Name} vanished while it was watched", "Did somebody else remove it?");

    [LoggerMessage(EventId = 5701, Level = LogLevel.Warning, Message = "{Name} could not be taken away whole, it is tried again: {Problem}")]
    private partial void LogNotRemoved(string name, string problem);

    [LoggerMessage(EventId = 5702, Level = LogLevel.Information, Message = "{Name} was left by an earlier run of the daemon, and is gone")]
    private partial void LogSwept(string name);
}
