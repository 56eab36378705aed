using System.Collections.Immutable;
using Orchestrator.Docker;
using Orchestrator.Planning;
using Orchestrator.Stacks;

namespace Orchestrator.Deployments.Steps;

/// <summary>What runs is what was asked for, and routed: only that is success. The old colour stays warm, or is swept away after the commit is written down.</summary>
public sealed class Commit(StackContainers containers, StackTraffic traffic, SideColours sides, TimeProvider time) : IDeploymentStep
{
    public StepKind Kind => StepKind.Commit;

    public async Task<StepFailure?> ExecuteAsync(DeploymentWork work, CancellationToken cancellationToken)
    {
        if (work.Target is not { } release) return null;

        var observed = await containers.ListAsync(work.StackName, cancellationToken);
        if (Wrong(work, release, observed) is { } wrong) return wrong;

        var warm = WarmOf(work);
        await sides.ShowWarmAsync(work.StackName, warm, cancellationToken);
        work.State = traffic.WithMaintenance(work.State) with { CurrentRelease = release.Number, Warm = warm };
        work.StateChanged = true;
        work.CommitRelease = true;
        work.Detail = warm is null ? $"release {release.Number} runs" : $"release {release.Number} runs; {warm.Release} stays warm until {warm.Until:yyyy-MM-dd HH:mm:ss}Z";
        return null;
    }

    public Task UndoAsync(DeploymentWork work, CancellationToken cancellationToken) => Task.CompletedTask;

    private StepFailure? Wrong(DeploymentWork work, Release release, ImmutableArray<ObservedContainer> observed)
    {
        foreach (var (action, spec) in work.Coloured)
        {
            var generation = work.CandidateOf(action);
            var replicas = observed.Where(seen => seen.Service == spec.Name && seen.Colour == generation.Colour && seen.Release == generation.Release && !seen.IsOneShot).ToList();
            var running = replicas.Where(seen => seen.State == ContainerState.Running).ToList();
            if (running.Count < spec.Replicas) return Unverified($"{running.Count} of {spec.Replicas} replicas of {spec.Name} run");
            if (replicas.FirstOrDefault(seen => seen.ImageId != release.Images[spec.Name].Id) is { } other) return Unverified($"{other.Name} runs image {other.ImageId}, the release says {release.Images[spec.Name].Id}");
            if (spec.BasMalin?.Route is not null && traffic.LiveOf(work.StackName).GetValueOrDefault(spec.Name)?.Identity is var routed && (routed?.Colour != generation.Colour.Word() || routed.Release != generation.Release))
                return Unverified($"the route of {spec.Name} leads to {routed?.Colour ?? "nothing"}");
        }

        return null;
    }

    private static StepFailure Unverified(string what) => new(FailureReason.VerificationFailed, $"At the end {what}.", "The previous version has the traffic again.");

    private WarmState? WarmOf(DeploymentWork work)
    {
        if (work.Current is not { } current || work.Deployment.Before is not { } before) return null;

        var old = before.Live.Where(pair => work.State.Live.GetValueOrDefault(pair.Key) is { } live && live != pair.Value && WarmTime(work, pair.Key) > TimeSpan.Zero).ToImmutableSortedDictionary();
        return old.IsEmpty ? null : new(current.Number, old, time.GetUtcNow() + old.Keys.Max(service => WarmTime(work, service)));
    }

    private static TimeSpan WarmTime(DeploymentWork work, string service) => work.Wanted.Find(service)?.BasMalin?.Warm ?? TimeSpan.Zero;
}
