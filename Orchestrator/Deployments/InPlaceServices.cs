using Orchestrator.Docker;
using Orchestrator.Planning;
using Orchestrator.Stacks;

namespace Orchestrator.Deployments;

/// <summary>Services that are never run twice: stopped, and made anew in the place of the old one.</summary>
public sealed class InPlaceServices(StackContainers containers, DependencyWait dependencies)
{
    /// <summary>Makes what the plan says, each when what it depends on is as it asks.</summary>
    public async Task<StepFailure?> BringAsync(DeploymentWork work, bool afterShift, CancellationToken cancellationToken)
    {
        var done = new List<string>();
        foreach (var (action, spec) in work.InPlace(afterShift))
        {
            if (await dependencies.WaitAsync(work, spec, cancellationToken) is { } unmet) return unmet;

            work.Report($"{spec.Name}: {(action.Kind == ServiceActionKind.Create ? "starting" : "recreating in place")}");
            await MakeAsync(work, spec, cancellationToken);
            done.Add(spec.Name);
        }

        if (done.Count > 0) work.Detail = string.Join(", ", done);
        return null;
    }

    /// <summary>Brings back what ran before: containers of this deployment go, those of the current release are made again.</summary>
    public async Task TakeBackAsync(DeploymentWork work, bool afterShift, CancellationToken cancellationToken)
    {
        if (work.Deployment.Plan is null || work.Target is null) return;

        foreach (var (_, spec) in work.InPlace(afterShift).Reverse())
        {
            var made = (await containers.OfAsync(work.StackName, spec.Name, null, cancellationToken)).Where(seen => BelongsTo(seen, work.Deployment.Id)).ToList();
            var before = work.Current?.Stack.Find(spec.Name) is { Coloured: false } old ? old : null;
            if (made.Count == 0 && !await IsMissingAsync(work, before, cancellationToken)) continue;

            await containers.RemoveAllAsync(made, spec.Container.StopGracePeriod, cancellationToken);
            if (before is null || work.Current is not { } current) continue;
            for (var replica = 1; replica <= before.Replicas; replica++)
                await containers.StartAsync(before, new(current, null, replica, current.Deployment), cancellationToken);
        }
    }

    private async Task MakeAsync(DeploymentWork work, ServiceSpec spec, CancellationToken cancellationToken)
    {
        if (work.Target is not { } release) return;

        var want = Planner.SpecOf(spec, work.PinnedImage(spec), release.Contents);
        var present = await containers.OfAsync(work.StackName, spec.Name, null, cancellationToken);
        var stale = present.Where(seen => !BelongsTo(seen, work.Deployment.Id) && (seen.Spec != want || seen.Replica > spec.Replicas || Forced(work, spec) || seen.State is ContainerState.Exited or ContainerState.Dead));
        await containers.RemoveAllAsync(stale, spec.Container.StopGracePeriod, cancellationToken);
        for (var replica = 1; replica <= spec.Replicas; replica++)
        {
            var kept = present.Any(seen => seen.Replica == replica && seen.Spec == want && seen.State == ContainerState.Running && !BelongsTo(seen, work.Deployment.Id) && !Forced(work, spec));
            if (!kept) await containers.StartAsync(spec, new(release, null, replica, work.Deployment.Id), cancellationToken);
        }
    }

    private async Task<bool> IsMissingAsync(DeploymentWork work, ServiceSpec? before, CancellationToken cancellationToken) =>
        before is not null && (await containers.OfAsync(work.StackName, before.Name, null, cancellationToken)).Length < before.Replicas;

    private static bool Forced(DeploymentWork work, ServiceSpec spec) => work.Plan.Find(spec.Name)?.Reasons is { } reasons && (reasons.Contains("forced") || reasons.Any(reason => reason.StartsWith("restarts with", StringComparison.Ordinal)));

    private static bool BelongsTo(ObservedContainer seen, DeploymentId id) => seen.Labels.GetValueOrDefault(Labels.Deployment) == id.ToString();
}
