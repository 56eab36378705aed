using System.Collections.Immutable;
using Orchestrator.Deployments;
using Orchestrator.Docker;
using Orchestrator.Stacks;
using Orchestrator.Traffic;

namespace Orchestrator.Healing;

/// <summary>
/// One replica in the place of another, without loss: the new one passes its gate before anybody is sent there, the old one is drained before it is stopped. For as
/// long there is one more than the release says, also of a service that has only one.
/// </summary>
public sealed class ReplicaReplacement(StackContainers containers, StackTraffic traffic, StackRoutesKeeper keeper, Gates gates, TimeProvider time)
{
    private static readonly TimeSpan Margin = TimeSpan.FromMinutes(2);
    private static readonly TimeSpan CleaningMargin = TimeSpan.FromSeconds(30);

    /// <summary>How long it may take.</summary>
    public static TimeSpan LimitOf(ServiceSpec spec)
    {
        var drain = spec.BasMalin?.Drain ?? new();
        return Margin + Gates.RuleOf(spec, null).Deadline + (drain.Http > drain.WebSocket ? drain.Http : drain.WebSocket) + spec.Container.StopGracePeriod;
    }

    /// <summary>Network → the names that a serving container of the service has there.</summary>
    public static ImmutableDictionary<string, ImmutableArray<string>> AliasesOf(Stack stack, ServiceSpec spec)
    {
        if (spec.Coloured) return ContainerRequests.OwnNames(stack, spec).ToImmutableDictionary(own => own.Network, own => own.Aliases);

        var joined = from attachment in spec.Networks
                     let network = stack.Networks.FirstOrDefault(item => item.Key == attachment.Key)
                     where network is not null
                     select KeyValuePair.Create(network.Name, (ImmutableArray<string>)[spec.Name, .. attachment.Aliases]);
        return joined.DistinctBy(pair => pair.Key).ToImmutableDictionary();
    }

    /// <returns>Why it came to nothing, and the old one serves; null: it did not.</returns>
    public async Task<string?> RunAsync(StackPicture picture, ServiceSpec spec, ObservedContainer old, CancellationToken cancellationToken)
    {
        var (made, problem) = await MakeAsync(picture, spec, DriftReader.FreeSlots(picture.Of(spec)).First(), cancellationToken);
        if (made is not { } id) return problem;

        keeper.Withhold(id);
        var serves = false;
        try
        {
            await containers.Engine.StartAsync(id, cancellationToken);
            if (await ProveAsync(picture, spec, id, cancellationToken) is { } unfit) return unfit;

            await TakeNamesAsync(picture, spec, id, cancellationToken);
            if (await containers.Engine.InspectAsync(id, cancellationToken) is not { State: ContainerState.Running } proved) return "it ended after it had passed its gate";

            serves = true;
            await ExchangeAsync(picture, spec, proved, old, cancellationToken);
            return null;
        }
        finally
        {
            keeper.Admit(id);
            if (!serves)
            {
                using var budget = new CancellationTokenSource(spec.Container.StopGracePeriod + CleaningMargin, time);
                await containers.Engine.RemoveAsync(id, spec.Container.StopGracePeriod, budget.Token);
            }
        }
    }

    /// <summary>Nobody is sent there any more, what is under way ends, and then it is stopped and removed.</summary>
    public Task LetGoAsync(StackPicture picture, ServiceSpec spec, ObservedContainer old, CancellationToken cancellationToken) =>
        ExchangeAsync(picture, spec, null, old, cancellationToken);

    /// <summary>Makes a container of what the service's release says, and does not start it.</summary>
    /// <returns>Without a container: why not.</returns>
    public async Task<(ContainerId? Made, string? Problem)> MakeAsync(StackPicture picture, ServiceSpec spec, int slot, CancellationToken cancellationToken)
    {
        var release = picture.ReleaseOf(spec);
        if (release.Stack.Find(spec.Name) is not { } own || release.Images.GetValueOrDefault(spec.Name) is not { } image) return (null, "its release does not say what it is made of");

        // The engine would make it, empty, without a word.
        foreach (var volume in StackPicture.VolumesOf(release.Stack, own).Distinct())
        {
            if (await containers.Engine.FindVolumeDirectoryAsync(volume, cancellationToken) is null) return (null, $"its volume {volume} is gone, and it is not made anew on an empty one");
        }

        await EnsureNetworksAsync(picture, release, cancellationToken);
        if (await containers.Engine.FindImageAsync(image.Pinned, cancellationToken) is null)
        {
            if (image.Digest is not { } digest) return (null, $"its image {image.Pinned} is no longer on this host, and was not fetched from a registry: deploy");
            await containers.Engine.PullAsync(digest, own.Platform, null, cancellationToken);
        }

        return (await containers.CreateAsync(own, new(release, picture.LiveOf(spec)?.Colour, slot, release.Deployment), cancellationToken), null);
    }

    /// <summary>Gives a container of a coloured service the service's names.</summary>
    public async Task TakeNamesAsync(StackPicture picture, ServiceSpec spec, ContainerId id, CancellationToken cancellationToken)
    {
        var stack = picture.ReleaseOf(spec).Stack;
        foreach (var (network, aliases) in ContainerRequests.OwnNames(stack, stack.Find(spec.Name) ?? spec)) await containers.Engine.AttachAsync(id, network, aliases, cancellationToken);
    }

    /// <summary>Those that it is made on may be of an older release than those that the stack has now.</summary>
    private async Task EnsureNetworksAsync(StackPicture picture, Release made, CancellationToken cancellationToken)
    {
        await containers.EnsureNetworksAsync(picture.Release.Stack, cancellationToken);
        if (made.Number != picture.Release.Number) await containers.EnsureNetworksAsync(made.Stack, cancellationToken);
    }

    private async Task<string?> ProveAsync(StackPicture picture, ServiceSpec spec, ContainerId id, CancellationToken cancellationToken)
    {
        var release = picture.ReleaseOf(spec);
        if (await containers.Engine.InspectAsync(id, cancellationToken) is not { } started) return "it was removed before it had proved itself";

        var result = await gates.WaitAsync(release, release.Stack.Find(spec.Name) ?? spec, started, null, cancellationToken);
        return result.Healthy ? null : $"{started.Name}, which was to take the place, is not well: {result.Reason}. Last lines of its log:\n{await containers.LastWordsAsync(id, cancellationToken)}";
    }

    private async Task ExchangeAsync(StackPicture picture, ServiceSpec spec, ObservedContainer? proved, ObservedContainer old, CancellationToken cancellationToken)
    {
        var stack = picture.ReleaseOf(spec).Stack;
        var own = stack.Find(spec.Name) ?? spec;
        keeper.Withhold(old.Id);
        try
        {
            if (picture.LiveOf(spec) is { } live)
            {
                var address = proved is null ? null : StackTraffic.AddressOf(stack, own, proved);
                var identity = new UpstreamIdentity(picture.Stack, spec.Name, live.Colour.Word(), live.Release);
                var renewal = traffic.Renew(identity, replicas => [.. replicas.Where(replica => replica.Key != old.Id.Value && replica.Key != address?.Key), .. address is null ? (ReplicaAddress[])[] : [address]]);
                var drain = own.BasMalin?.Drain ?? new();
                if (renewal is not null) await renewal.LetGoAsync(new(drain.Http, drain.WebSocket), cancellationToken);
            }

            foreach (var (network, _) in ContainerRequests.OwnNames(stack, own)) await containers.Engine.DetachAsync(old.Id, network, cancellationToken);
            await containers.Engine.RemoveAsync(old.Id, spec.Container.StopGracePeriod, cancellationToken);
        }
        finally
        {
            keeper.Admit(old.Id);
        }
    }
}
