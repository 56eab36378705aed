using System.Collections.Immutable;
using Orchestrator.Docker;
using Orchestrator.Journal;
using Orchestrator.Planning;
using Orchestrator.Traffic;
using Orchestrator.Traffic.Previews;

namespace Orchestrator.Deployments;

/// <summary>
/// Which colours are shown beside the live ones to those who may choose: the candidate from its gate to the shift, the previous one while it runs on.
/// Lives in the route table only; a stack none of whose routes has a preview shows nothing.
/// </summary>
public sealed class SideColours(IJournal journal, StackContainers containers, StackTraffic traffic, TimeProvider time)
{
    // Who looks at what is not live is told by the end of it.
    private static readonly DrainBudget Ending = new(TimeSpan.FromSeconds(5), TimeSpan.FromSeconds(5));

    public void ShowCandidates(DeploymentWork work)
    {
        if (work.Target is not { } release || !traffic.HasPreviews(work.StackName)) return;

        traffic.ShowBeside(work.StackName, [.. from pair in work.Candidates select Side(release, pair.Key, pair.Value, SideRole.Candidate)]);
    }

    /// <summary>After the shift. The old upstreams are drained and never open again; the containers run on.</summary>
    public void ShowRetired(DeploymentWork work)
    {
        if (work.Current is not { } before || !traffic.HasPreviews(work.StackName)) return;

        traffic.ShowBeside(
            work.StackName,
            [
                .. from pair in work.Retired
                   where work.Wanted.Find(pair.Key) is not null
                   select Side(before, pair.Key, new Upstream(pair.Value.Identity, pair.Value.Replicas, time), SideRole.Warm),
            ]);
    }

    /// <summary>What is warm by the stack's state, where it is not shown yet: after a restart of the daemon.</summary>
    public async Task ShowWarmAsync(string stack, WarmState? warm, CancellationToken cancellationToken)
    {
        if (warm is null || !traffic.HasPreviews(stack) || traffic.Beside(stack).Any(side => side.Role is SideRole.Warm)) return;
        if (await journal.FindReleaseAsync(stack, warm.Release, cancellationToken) is not { } release) return;

        var sides = ImmutableArray.CreateBuilder<SideColour>();
        foreach (var (service, generation) in warm.Services)
        {
            if (release.Stack.Find(service) is not { } spec) continue;
            var running = (await containers.OfAsync(stack, service, generation, cancellationToken)).Where(seen => seen.State == ContainerState.Running).ToList();
            if (running.Count > 0) sides.Add(Side(release, service, traffic.UpstreamOf(release.Stack, spec, generation, running), SideRole.Warm));
        }

        traffic.ShowBeside(stack, sides.ToImmutable());
    }

    /// <summary>Shows none any more, and lets what is under way there end; said before their containers are stopped.</summary>
    public Task HideAsync(string stack, CancellationToken cancellationToken) =>
        Task.WhenAll(traffic.ShowBeside(stack, []).Select(side => side.Upstream.DrainAsync(Ending, cancellationToken)));

    /// <summary>Events may have been lost: what is shown is where the engine says it is, and what is warm is shown. Not while a deployment shows its own.</summary>
    public async Task CompareAsync(string stack, ImmutableArray<ObservedContainer> observed, CancellationToken cancellationToken)
    {
        if (!traffic.HasPreviews(stack) || (await journal.UnfinishedAsync(cancellationToken)).Any(deployment => deployment.Request.Stack == stack)) return;

        if (traffic.Beside(stack).Any(side => !IsTrue(side.Upstream, observed))) await HideAsync(stack, cancellationToken);
        if (await journal.FindStackAsync(stack, cancellationToken) is { } state) await ShowWarmAsync(stack, state.Warm, cancellationToken);
    }

    private static bool IsTrue(Upstream upstream, ImmutableArray<ObservedContainer> observed)
    {
        var running = observed.Where(seen => seen.State == ContainerState.Running && StackRoutesKeeper.IsOf(upstream.Identity, seen)).ToList();
        return running.Count == upstream.Replicas.Length
            && running.All(seen => upstream.Replicas.Any(replica => replica.Key == seen.Id.Value && seen.Addresses.ContainsValue(replica.Host)) && upstream.IsAvailable(seen.Id.Value));
    }

    private static SideColour Side(Release release, string service, Upstream upstream, SideRole role) =>
        new(service, upstream, release.Stack.Find(service) is { } spec ? StackTraffic.PortOf(spec, release.Images.GetValueOrDefault(service)) : 0, role);
}
