using System.Collections.Immutable;
using Orchestrator.Deployments;
using Orchestrator.Docker;
using Orchestrator.Stacks;

namespace Orchestrator.Healing;

/// <summary>Carries acts out. Each has a deadline, and may be broken off at any moment: what it leaves is seen as a difference by the next look.</summary>
public sealed class HealingActs(StackContainers containers, StackRoutesKeeper keeper, ReplicaReplacement replacement, Sweeper sweeper, TimeProvider time)
{
    private static readonly TimeSpan Usual = TimeSpan.FromMinutes(2);
    private static readonly TimeSpan WithPull = TimeSpan.FromMinutes(10);

    /// <returns>Why it came to nothing; null: it did not.</returns>
    /// <exception cref="OperationCanceledException">It was broken off.</exception>
    public async Task<string?> RunAsync(StackPicture picture, HealingAct act, CancellationToken cancellationToken)
    {
        var limit = act switch
        {
            HealingAct.Create or HealingAct.Start => WithPull,
            HealingAct.Replace or HealingAct.Remove when SpecOf(picture, act) is { } spec => ReplicaReplacement.LimitOf(spec),
            _ => Usual,
        };
        using var deadline = new CancellationTokenSource(limit, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, deadline.Token);
        try
        {
            return await DoAsync(picture, act, either.Token);
        }
        catch (EngineException failure)
        {
            return failure.Message;
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return $"it was not done within {limit.TotalSeconds:0} s";
        }
    }

    public Task<string> LastWordsAsync(ContainerId id, CancellationToken cancellationToken) => containers.LastWordsAsync(id, cancellationToken);

    public async Task StopAsync(ContainerId id, CancellationToken cancellationToken) => await containers.Engine.StopAsync(id, TimeSpan.FromSeconds(10), cancellationToken);

    public Task RestAsync(TimeSpan rest, CancellationToken cancellationToken) => Task.Delay(rest, time, cancellationToken);

    private async Task<string?> DoAsync(StackPicture picture, HealingAct act, CancellationToken cancellationToken)
    {
        switch (act)
        {
            case HealingAct.EnsureNetworks:
                await containers.EnsureNetworksAsync(picture.Release.Stack, cancellationToken);
                return null;
            case HealingAct.Sweep:
                await sweeper.SweepAsync(picture.Stack, cancellationToken);
                return null;
        }

        if (SpecOf(picture, act) is not { } spec) return "its service is not in the release";
        switch (act)
        {
            case HealingAct.Create:
                return await CreateAsync(picture, spec, act.Key.Slot, cancellationToken);
            case HealingAct.Start start:
                return await StartAsync(picture, spec, start, cancellationToken);
            case HealingAct.Restart restart:
                // Nobody new, and then SIGTERM; it comes back when it answers.
                keeper.TakeOut(picture.Stack, spec.Name, restart.Container.Id);
                await containers.Engine.RestartAsync(restart.Container.Id, spec.Container.StopGracePeriod, cancellationToken);
                return null;
            case HealingAct.Rejoin rejoin:
                await RejoinAsync(picture, spec, rejoin, cancellationToken);
                return null;
            case HealingAct.Replace replace:
                return await replacement.RunAsync(picture, spec, replace.Container, cancellationToken);
            case HealingAct.Remove remove:
                await replacement.LetGoAsync(picture, spec, remove.Container, cancellationToken);
                return null;
            default:
                throw new InvalidOperationException($"Nobody knows how to {act.Kind}.");
        }
    }

    private async Task<string?> CreateAsync(StackPicture picture, ServiceSpec spec, int slot, CancellationToken cancellationToken)
    {
        var (made, problem) = await replacement.MakeAsync(picture, spec, slot, cancellationToken);
        if (made is not { } id) return problem;

        await containers.Engine.StartAsync(id, cancellationToken);
        await JoinNamesAsync(picture, spec, id, cancellationToken);
        return null;
    }

    /// <summary>What it was made for may be gone, a network for instance: then it is made anew, unless it keeps data in itself.</summary>
    private async Task<string?> StartAsync(StackPicture picture, ServiceSpec spec, HealingAct.Start start, CancellationToken cancellationToken)
    {
        var old = start.Container;
        try
        {
            if (old.State != ContainerState.Dead)
            {
                await containers.Engine.StartAsync(old.Id, cancellationToken);
                if (picture.LiveOf(spec) is not null) keeper.ComeBack(picture.Stack, spec.Name, old.Id);
                return null;
            }
        }
        catch (EngineException failure) when (IsBeyondStarting(failure, spec, old) && AnonymousVolume(picture, spec, old) is { } path)
        {
            return $"{failure.Message}. It is not made anew, because it keeps data in a volume without a name at {path}";
        }
        catch (EngineException failure) when (IsBeyondStarting(failure, spec, old))
        {
            // Made anew below: what it is made from is all there.
        }

        if (AnonymousVolume(picture, spec, old) is { } kept) return $"the engine calls it dead, and it keeps data in a volume without a name at {kept}";

        await containers.Engine.RemoveAsync(old.Id, TimeSpan.Zero, cancellationToken);
        return await CreateAsync(picture, spec, old.Replica, cancellationToken);
    }

    /// <summary>
    /// What it was made for is gone; or the engine fails at it for ever, as when it was killed while it started it ("task already exists"). The latter only
    /// where nothing of worth is in the container itself.
    /// </summary>
    internal static bool IsBeyondStarting(EngineException failure, ServiceSpec spec, ObservedContainer old) =>
        failure.Fault == EngineFault.NotFound || (failure.Fault == EngineFault.Other && (spec.Coloured || old.State == ContainerState.Created));

    private async Task RejoinAsync(StackPicture picture, ServiceSpec spec, HealingAct.Rejoin act, CancellationToken cancellationToken)
    {
        await containers.EnsureNetworksAsync(picture.Release.Stack, cancellationToken);
        var stack = picture.ReleaseOf(spec).Stack;
        var aliases = ReplicaReplacement.AliasesOf(stack, stack.Find(spec.Name) ?? spec);
        foreach (var network in act.Networks) await containers.Engine.AttachAsync(act.Container.Id, network, aliases.GetValueOrDefault(network, []), cancellationToken);
        if (picture.LiveOf(spec) is not null) keeper.ComeBack(picture.Stack, spec.Name, act.Container.Id);
    }

    private async Task JoinNamesAsync(StackPicture picture, ServiceSpec spec, ContainerId id, CancellationToken cancellationToken)
    {
        if (picture.LiveOf(spec) is null) return;

        await replacement.TakeNamesAsync(picture, spec, id, cancellationToken);
        keeper.ComeBack(picture.Stack, spec.Name, id);
    }

    /// <summary>Where a container keeps data that goes with it.</summary>
    private static string? AnonymousVolume(StackPicture picture, ServiceSpec spec, ObservedContainer seen)
    {
        var named = (picture.ReleaseOf(spec).Stack.Find(spec.Name) ?? spec).Container.Mounts.Where(mount => mount is { Kind: MountKind.Volume, Source: not null }).Select(mount => mount.Target).ToHashSet();
        return spec.Coloured ? null : seen.Directories.Keys.FirstOrDefault(path => !named.Contains(path));
    }

    private static ServiceSpec? SpecOf(StackPicture picture, HealingAct act) => picture.Release.Stack.Find(act.Key.Service);
}
