using System.Collections.Immutable;
using Orchestrator.Docker;
using Orchestrator.Planning;
using Orchestrator.Stacks;

namespace Orchestrator.Deployments;

/// <summary>The containers, networks and volumes of stacks, in the words of a deployment.</summary>
public sealed class StackContainers(IContainerEngine engine, GrantedFiles files)
{
    public IContainerEngine Engine => engine;

    public Task<ImmutableArray<ObservedContainer>> ListAsync(string stack, CancellationToken cancellationToken) => engine.ListAsync(stack, cancellationToken);

    /// <summary>Replicas of one generation, by number; without migrations and backups.</summary>
    public async Task<ImmutableArray<ObservedContainer>> OfAsync(string stack, string service, Generation? generation, CancellationToken cancellationToken) =>
    [
        .. (await engine.ListAsync(stack, cancellationToken))
            .Where(seen => seen.Service == service && !seen.IsOneShot && seen.Colour == generation?.Colour && (generation is null || seen.Release == generation.Release))
            .OrderBy(seen => seen.Replica),
    ];

    public async Task EnsureNetworksAndVolumesAsync(Stack stack, CancellationToken cancellationToken)
    {
        await EnsureNetworksAsync(stack, cancellationToken);
        foreach (var volume in stack.Volumes) await engine.EnsureVolumeAsync(new(volume, volume.Labels.SetItem(Labels.Stack, stack.Name)), cancellationToken);
    }

    public async Task EnsureNetworksAsync(Stack stack, CancellationToken cancellationToken)
    {
        var labels = ImmutableSortedDictionary<string, string>.Empty.Add(Labels.Stack, stack.Name);
        foreach (var network in UsedNetworks(stack)) await engine.EnsureNetworkAsync(new(network, network.Labels.SetItems(labels)), cancellationToken);
        foreach (var names in NamesNetworks(stack)) await engine.EnsureNetworkAsync(new(names, labels), cancellationToken);
    }

    /// <summary>Joins containers that are kept to the names networks that have come since they were made.</summary>
    public async Task JoinPeersAsync(Stack stack, IEnumerable<ServiceSpec> kept, CancellationToken cancellationToken)
    {
        var running = (await engine.ListAsync(stack.Name, cancellationToken)).Where(seen => seen is { State: ContainerState.Running, IsOneShot: false }).ToLookup(seen => seen.Service);
        foreach (var spec in kept)
            foreach (var container in running[spec.Name])
                foreach (var network in ContainerRequests.PeerNetworks(stack, spec).Where(network => !container.Addresses.ContainsKey(network)))
                    await engine.AttachAsync(container.Id, network, [], cancellationToken);
    }

    /// <summary>Creates and starts one replica; one that is already there and made of the same is only started.</summary>
    public async Task<ContainerId> StartAsync(ServiceSpec spec, Placement place, CancellationToken cancellationToken)
    {
        var id = await CreateAsync(spec, place, cancellationToken);
        await engine.StartAsync(id, cancellationToken);
        return id;
    }

    /// <summary>Creates one replica, or finds it, and does not start it.</summary>
    public async Task<ContainerId> CreateAsync(ServiceSpec spec, Placement place, CancellationToken cancellationToken) =>
        await engine.CreateAsync(ContainerRequests.For(spec, place, await files.MountsAsync(place.Release, spec, cancellationToken)), cancellationToken);

    public async Task<ContainerId> StartMigrationAsync(ServiceSpec spec, Placement place, ImmutableArray<string> command, CancellationToken cancellationToken)
    {
        var request = ContainerRequests.Migration(spec, place, await files.MountsAsync(place.Release, spec, cancellationToken), command);
        var id = await engine.CreateAsync(request, cancellationToken);
        await engine.StartAsync(id, cancellationToken);
        return id;
    }

    /// <summary>Gives a colour the service's names on the stack's networks.</summary>
    public async Task TakeNamesAsync(Stack stack, ServiceSpec spec, Generation generation, CancellationToken cancellationToken)
    {
        foreach (var container in await OfAsync(stack.Name, spec.Name, generation, cancellationToken))
            foreach (var (network, aliases) in ContainerRequests.OwnNames(stack, spec))
            {
                if (container.State == ContainerState.Running) await engine.AttachAsync(container.Id, network, aliases, cancellationToken);
            }
    }

    public async Task LeaveNamesAsync(Stack stack, ServiceSpec spec, Generation generation, CancellationToken cancellationToken)
    {
        foreach (var container in await OfAsync(stack.Name, spec.Name, generation, cancellationToken))
            foreach (var (network, _) in ContainerRequests.OwnNames(stack, spec))
                await engine.DetachAsync(container.Id, network, cancellationToken);
    }

    /// <summary>Stops (with the service's own signal and grace) and removes all containers of a generation; null: those in place.</summary>
    public async Task RemoveAsync(string stack, string service, Generation? generation, TimeSpan grace, CancellationToken cancellationToken) =>
        await RemoveAllAsync(await OfAsync(stack, service, generation, cancellationToken), grace, cancellationToken);

    /// <summary>Removes what stands in a colour's place and does not belong to the generation that is coming.</summary>
    public async Task ClearColourAsync(string stack, ServiceSpec spec, Generation coming, CancellationToken cancellationToken)
    {
        var leftovers = (await engine.ListAsync(stack, cancellationToken))
            .Where(seen => seen.Service == spec.Name && seen.Colour == coming.Colour && seen.Release != coming.Release && !seen.IsOneShot);
        await RemoveAllAsync(leftovers, spec.Container.StopGracePeriod, cancellationToken);
    }

    public Task RemoveAllAsync(IEnumerable<ObservedContainer> containers, TimeSpan grace, CancellationToken cancellationToken) =>
        Task.WhenAll(containers.Select(container => engine.RemoveAsync(container.Id, grace, cancellationToken)));

    /// <summary>The last lines that a container wrote, for a failure's detail. That they cannot be had must not hide the failure itself.</summary>
    public async Task<string> LastWordsAsync(ContainerId id, CancellationToken cancellationToken)
    {
        try
        {
            var lines = await engine.TailAsync(id, 20, cancellationToken);
            return lines.IsEmpty ? "it wrote nothing" : string.Join('\n', lines.Select(line => line.Text));
        }
        catch (EngineException unreadable)
        {
            return unreadable.Message;
        }
    }

    /// <summary>Names of the networks that the stack's services are on.</summary>
    public static ImmutableArray<string> NetworksOf(Stack stack) => [.. UsedNetworks(stack).Concat(NamesNetworks(stack)).Select(network => network.Name)];

    private static IEnumerable<NetworkSpec> UsedNetworks(Stack stack)
    {
        var used = stack.Services.SelectMany(spec => spec.Networks).Select(attachment => attachment.Key).ToHashSet();
        return stack.Networks.Where(network => used.Contains(network.Key));
    }

    private static IEnumerable<NetworkSpec> NamesNetworks(Stack stack) =>
        from spec in stack.Services
        where spec.Coloured
        from names in ContainerRequests.OwnNames(stack, spec)
        select new NetworkSpec { Key = names.Network, Name = names.Network, Internal = true };
}
