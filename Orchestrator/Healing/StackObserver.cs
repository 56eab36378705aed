using System.Collections.Immutable;
using Orchestrator.Deployments;
using Orchestrator.Docker;
using Orchestrator.Health;
using Orchestrator.Journal;
using Orchestrator.Planning;

namespace Orchestrator.Healing;

/// <summary>
/// Looks at stacks for whoever heals them. A stack that a deployment is at, or waits for, is left out, and so is one whose record cannot be read; all of them
/// while the journal is damaged: what it does not know might be what serves.
/// </summary>
public sealed class StackObserver(IJournal journal, IContainerEngine engine, LiveProbes probes, RecycleSchedule schedule, TimeProvider time)
{
    /// <summary>All stacks. One list of containers, and nothing else where nothing is amiss.</summary>
    public async Task<ImmutableArray<StackPicture>> LookAsync(CancellationToken cancellationToken)
    {
        if (journal.Health.Damage is not null) return [];

        var busy = await BusyAsync(cancellationToken);
        var states = (await journal.ListStacksAsync(cancellationToken)).Where(state => !busy.Contains(state.Stack)).ToList();
        if (states.Count == 0) return [];

        var containers = (await engine.ListAsync(null, cancellationToken)).ToLookup(seen => seen.Stack);
        var pictures = ImmutableArray.CreateBuilder<StackPicture>();
        foreach (var state in states)
        {
            if (await PictureAsync(state, [.. containers[state.Stack]], cancellationToken) is { } picture) pictures.Add(picture);
        }

        return pictures.ToImmutable();
    }

    /// <summary>The stacks that a deployment is at: what is to be seen of them may change at any moment.</summary>
    public async Task<ImmutableArray<StackPicture>> LookAtBusyAsync(CancellationToken cancellationToken)
    {
        if (journal.Health.Damage is not null) return [];

        var pictures = ImmutableArray.CreateBuilder<StackPicture>();
        foreach (var stack in await BusyAsync(cancellationToken))
        {
            if (await PictureAsync(stack, cancellationToken) is { } picture) pictures.Add(picture);
        }

        return pictures.ToImmutable();
    }

    /// <summary>One stack; said while it is borrowed.</summary>
    public async Task<StackPicture?> LookAsync(string stack, CancellationToken cancellationToken)
    {
        if (journal.Health.Damage is not null || (await BusyAsync(cancellationToken)).Contains(stack)) return null;

        return await PictureAsync(stack, cancellationToken);
    }

    private async Task<HashSet<string>> BusyAsync(CancellationToken cancellationToken) =>
        [.. (await journal.UnfinishedAsync(cancellationToken)).Select(deployment => deployment.Request.Stack)];

    private async Task<StackPicture?> PictureAsync(string stack, CancellationToken cancellationToken) =>
        await journal.FindStackAsync(stack, cancellationToken) is { } state ? await PictureAsync(state, await engine.ListAsync(stack, cancellationToken), cancellationToken) : null;

    private async Task<StackPicture?> PictureAsync(StackState state, ImmutableArray<ObservedContainer> containers, CancellationToken cancellationToken)
    {
        if (state.CurrentRelease == 0) return null;

        var releases = ImmutableDictionary.CreateBuilder<int, Release>();
        foreach (var number in state.Live.Values.Select(live => live.Release).Append(state.CurrentRelease).Distinct())
        {
            if (await ReleaseAsync(state, number, cancellationToken) is { } found) releases[number] = found;
        }

        if (releases.GetValueOrDefault(state.CurrentRelease) is not { } current) return null;

        var picture = new StackPicture { State = state, Release = current, Releases = releases.ToImmutable(), Containers = containers };
        return picture with
        {
            Sick = SickOf(picture),
            LostNetworks = await LostNetworksAsync(picture, cancellationToken),
            LostVolumes = await LostVolumesAsync(picture, cancellationToken),
            Memory = await MemoryAsync(picture, cancellationToken),
            Due = [.. DueOf(picture)],
        };
    }

    private async Task<Release?> ReleaseAsync(StackState state, int number, CancellationToken cancellationToken)
    {
        try
        {
            return await journal.FindReleaseAsync(state.Stack, number, cancellationToken) is { } release ? VolumeNames.Over(release, state.Volumes) : null;
        }
        catch (JournalException damaged) when (damaged.Fault == JournalFault.Damaged)
        {
            return null;                                            // it is reported as damaged; others are healed
        }
    }

    /// <summary>Routed replicas are asked by their probes; of the others the engine's own check tells.</summary>
    private ImmutableDictionary<ContainerId, string> SickOf(StackPicture picture)
    {
        var failing = probes.Failing.Where(replica => replica.Stack == picture.Stack).Select(replica => KeyValuePair.Create(replica.Container, replica.Detail));
        var unhealthy = from spec in picture.Wanted
                        where spec.BasMalin?.Route is null
                        from seen in picture.Of(spec)
                        where seen is { State: ContainerState.Running, Health: DockerHealth.Unhealthy }
                        select KeyValuePair.Create(seen.Id, Excerpt.Of(seen.HealthDetail ?? "its health check fails"));
        return failing.Concat(unhealthy).DistinctBy(pair => pair.Key).ToImmutableDictionary();
    }

    private async Task<ImmutableHashSet<string>> LostNetworksAsync(StackPicture picture, CancellationToken cancellationToken)
    {
        var seen = picture.Containers.SelectMany(container => container.Addresses.Keys).ToHashSet();
        var lost = ImmutableHashSet.CreateBuilder<string>();
        foreach (var network in picture.Wanted.Any() ? StackContainers.NetworksOf(picture.Release.Stack).Where(network => !seen.Contains(network)) : [])
        {
            if (!await engine.HasNetworkAsync(network, cancellationToken)) lost.Add(network);
        }

        return lost.ToImmutable();
    }

    /// <summary>A volume that a container has, even one that does not run, cannot be removed.</summary>
    private async Task<ImmutableHashSet<string>> LostVolumesAsync(StackPicture picture, CancellationToken cancellationToken)
    {
        var doubtful = picture.Wanted.Where(spec => picture.Of(spec).Length < spec.Replicas).SelectMany(spec => StackPicture.VolumesOf(picture.ReleaseOf(spec).Stack, spec)).Distinct();
        var lost = ImmutableHashSet.CreateBuilder<string>();
        foreach (var volume in doubtful)
        {
            if (await engine.FindVolumeDirectoryAsync(volume, cancellationToken) is null) lost.Add(volume);
        }

        return lost.ToImmutable();
    }

    private async Task<ImmutableDictionary<ContainerId, long>> MemoryAsync(StackPicture picture, CancellationToken cancellationToken)
    {
        var measured = ImmutableDictionary.CreateBuilder<ContainerId, long>();
        foreach (var seen in picture.Wanted.Where(spec => spec.BasMalin?.Recycle?.Memory is not null).SelectMany(spec => picture.Of(spec)).Where(seen => seen.State == ContainerState.Running))
        {
            if (await engine.MemoryAsync(seen.Id, cancellationToken) is { } bytes) measured[seen.Id] = bytes;
        }

        return measured.ToImmutable();
    }

    private IEnumerable<ContainerId> DueOf(StackPicture picture) =>
        from spec in picture.Wanted
        let rule = spec.BasMalin?.Recycle
        where rule?.At is not null
        from seen in picture.Of(spec)
        where seen.State == ContainerState.Running && schedule.IsDue(rule, seen.StartedAt, picture.Release.CreatedAt, time.GetUtcNow())
        select seen.Id;
}
