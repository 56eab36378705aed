using System.Collections.Immutable;
using Orchestrator.Planning;
using Orchestrator.Stacks;
using Orchestrator.Traffic;

namespace Orchestrator.Deployments.Steps;

/// <summary>
/// One atomic swap of the route table for all services of the release, then the services' names on the stack's networks: users do not wait for
/// what the engine takes to attach containers. From here on an undo swaps back first. Declared canary steps come before it; until the swap, the stack's
/// state does not know of them.
/// </summary>
public sealed class ShiftTraffic(StackContainers containers, StackTraffic traffic, SideColours sides, CanaryWalk canary, TimeProvider time) : IDeploymentStep
{
    public StepKind Kind => StepKind.Shift;

    public async Task<StepFailure?> ExecuteAsync(DeploymentWork work, CancellationToken cancellationToken)
    {
        if (work.Target is not { } release) return null;
        if (await canary.RunAsync(work, cancellationToken) is { } worse) return worse;

        foreach (var (action, spec) in work.Coloured.Where(item => item.Action.From is null))
            await containers.RemoveAsync(work.StackName, spec.Name, null, spec.Container.StopGracePeriod, cancellationToken);

        var before = traffic.LiveOf(work.StackName);
        var live = before.SetItems(work.Candidates).RemoveRange(before.Keys.Where(service => release.Stack.Find(service) is not { Coloured: true }));
        work.Retired = before.Where(pair => !ReferenceEquals(live.GetValueOrDefault(pair.Key), pair.Value)).ToImmutableDictionary();
        work.Watch = new BakeWatch(work.Candidates, work.Retired, time) { Earlier = work.CanaryRequests };
        var started = time.GetTimestamp();
        try
        {
            await traffic.PublishAsync(release, live, cancellationToken);
        }
        catch (EdgeBindException taken)
        {
            return new(FailureReason.PortInUse, taken.Message, "Stop what listens there, or publish another port. The old version is still serving.");
        }

        var swap = time.GetElapsedTime(started);
        sides.ShowRetired(work);
        foreach (var (action, spec) in work.Coloured) await containers.TakeNamesAsync(release.Stack, spec, work.CandidateOf(action), cancellationToken);

        work.State = traffic.WithMaintenance(work.State) with { CurrentRelease = release.Number, Live = LiveAfter(work), Volumes = work.Volumes };
        work.StateChanged = true;
        if (work.ExchangesData) traffic.ResumeAll(work.StackName);
        work.Detail = $"{(string.IsNullOrEmpty(work.Detail) ? "" : work.Detail + "; ")}{string.Join(", ", work.Coloured.Select(item => $"{item.Spec.Name} → {work.CandidateOf(item.Action).Colour.Word()}"))} in {swap.TotalMilliseconds:0.00} ms";
        return null;
    }

    public async Task UndoAsync(DeploymentWork work, CancellationToken cancellationToken)
    {
        var back = work.Deployment.Before ?? new StackState { Stack = work.StackName };
        if (work.Current is { } current)
        {
            var live = traffic.LiveOf(work.StackName).SetItems(await OldAsync(work, back, cancellationToken));
            await traffic.PublishAsync(current, live, cancellationToken);
        }
        else
        {
            await traffic.RemoveAsync(work.StackName, cancellationToken);
        }

        // Said at once, so that it is true whatever becomes of the names. A candidate takes the place of the warm colour; after a swap with the warm one both are still there.
        work.State = traffic.WithMaintenance(back) with { Warm = work.Plan.WarmSwap ? back.Warm : null };
        work.StateChanged = true;
        if (work.Current is not null) await NamesBackAsync(work, work.Current, back, cancellationToken);
        await DrainCandidatesAsync(work, cancellationToken);
    }

    /// <summary>The old containers run all along, but a drained upstream never reopens: they are routed to anew.</summary>
    private async Task<ImmutableDictionary<string, Upstream>> OldAsync(DeploymentWork work, StackState back, CancellationToken cancellationToken)
    {
        // After a canary, or a port that could not be had, the old upstream has its traffic still.
        var now = traffic.LiveOf(work.StackName);
        var kept = back.Live.Where(pair => now.GetValueOrDefault(pair.Key) is { IsClosed: false } same && same.Identity.Colour == pair.Value.Colour.Word() && same.Identity.Release == pair.Value.Release)
            .ToImmutableDictionary(pair => pair.Key, pair => now[pair.Key]);
        var old = work.Retired.RemoveRange(kept.Keys).ToImmutableDictionary(pair => pair.Key, pair => new Upstream(pair.Value.Identity, pair.Value.Replicas, time)).AddRange(kept);
        foreach (var (service, generation) in back.Live.Where(pair => !old.ContainsKey(pair.Key)))
        {
            if (work.Current?.Stack.Find(service) is not { } spec) continue;
            old = old.SetItem(service, traffic.UpstreamOf(work.Current.Stack, spec, generation, await containers.OfAsync(work.StackName, service, generation, cancellationToken)));
        }

        return old;
    }

    private async Task NamesBackAsync(DeploymentWork work, Release current, StackState back, CancellationToken cancellationToken)
    {
        foreach (var (service, generation) in back.Live)
        {
            if (current.Stack.Find(service) is { } spec) await containers.TakeNamesAsync(current.Stack, spec, generation, cancellationToken);
        }

        foreach (var (action, spec) in work.Coloured)
        {
            await containers.LeaveNamesAsync(work.Wanted, spec, work.CandidateOf(action), cancellationToken);
            if (action.From is null && current.Stack.Find(spec.Name) is { Coloured: false } inPlace)
            {
                for (var replica = 1; replica <= inPlace.Replicas; replica++) await containers.StartAsync(inPlace, new(current, null, replica, current.Deployment), cancellationToken);
            }
        }
    }

    /// <summary>What the candidate is answering at this moment may end.</summary>
    private static Task<DrainReport[]> DrainCandidatesAsync(DeploymentWork work, CancellationToken cancellationToken) => Task.WhenAll(work.Candidates.Select(pair =>
    {
        var drain = work.Wanted.Find(pair.Key)?.BasMalin?.Drain ?? new();
        return pair.Value.DrainAsync(new(drain.Http, drain.WebSocket), cancellationToken);
    }));

    private static ImmutableSortedDictionary<string, Generation> LiveAfter(DeploymentWork work)
    {
        var gone = work.State.Live.Keys.Where(service => work.Wanted.Find(service) is not { Coloured: true });
        return work.State.Live.RemoveRange(gone).SetItems(work.Coloured.Select(item => KeyValuePair.Create(item.Spec.Name, work.CandidateOf(item.Action))));
    }
}
