using System.Collections.Immutable;
using Orchestrator.Docker;
using Orchestrator.Stacks;

namespace Orchestrator.Deployments.Steps;

/// <summary>The watch on live traffic after the switch: error ratio, latency, restarts, health. Worse than declared: swap back.</summary>
public sealed class Bake(StackContainers containers, Gates gates, TimeProvider time) : IDeploymentStep
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(500);

    public StepKind Kind => StepKind.Bake;

    public async Task<StepFailure?> ExecuteAsync(DeploymentWork work, CancellationToken cancellationToken)
    {
        if (work.Request.Kind == DeploymentKind.Rollback || !work.Coloured.Any()) return null;

        work.Watch ??= new BakeWatch(work.Candidates, ImmutableDictionary<string, Traffic.Upstream>.Empty, time);   // resumed after a restart: what was seen before is lost
        var longest = work.Coloured.Max(item => RuleOf(item.Spec).For);
        var rest = longest - work.Watch.Elapsed;
        var failure = await WhileAsync(work, rest > TimeSpan.Zero ? Task.Delay(rest, time, cancellationToken) : Task.CompletedTask, cancellationToken);
        work.Deployment = work.Deployment with { Requests = work.Watch.Requests };
        work.Detail = $"{work.Watch.Requests.Failed} of {work.Watch.Requests.Total} requests failed";
        return failure;
    }

    public Task UndoAsync(DeploymentWork work, CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>Watches until the given work is done, or the candidate has gone bad.</summary>
    public async Task<StepFailure?> WhileAsync(DeploymentWork work, Task other, CancellationToken cancellationToken)
    {
        var sick = new Dictionary<ContainerId, int>();
        using var ticks = new PeriodicTimer(Interval, time);
        while (!other.IsCompleted)
        {
            var tick = ticks.WaitForNextTickAsync(cancellationToken).AsTask();
            await Task.WhenAny(other, tick);
            if (work.Request.Kind != DeploymentKind.Rollback && await LookAsync(work, sick, cancellationToken) is { } failure)
            {
                work.Deployment = work.Deployment with { Requests = work.Watch?.Requests ?? default };
                return failure;
            }

            if (!other.IsCompleted) await tick;
        }

        await other;
        return null;
    }

    private async Task<StepFailure?> LookAsync(DeploymentWork work, Dictionary<ContainerId, int> sick, CancellationToken cancellationToken)
    {
        if (work.Target is not { } release) return null;

        foreach (var (action, spec) in work.Coloured)
        {
            if (work.Watch?.Judge(spec.Name, RuleOf(spec)) is { } bad) return bad;
            foreach (var replica in await containers.OfAsync(work.StackName, spec.Name, work.CandidateOf(action), cancellationToken))
            {
                if (Down(spec, replica) is { } down) return down with { Detail = $"{down.Detail}\nLast lines of its log:\n{await containers.LastWordsAsync(replica.Id, cancellationToken)}" };
                if (await SickAsync(release, spec, replica, sick, cancellationToken) is { } ill) return ill;
            }
        }

        return null;
    }

    private static StepFailure? Down(ServiceSpec spec, ObservedContainer replica) => replica switch
    {
        { OomKilled: true } => BakeWatch.Bad(spec.Name, $"{replica.Name} was killed for want of memory"),
        { State: not ContainerState.Running } => BakeWatch.Bad(spec.Name, $"{replica.Name} is {replica.State.ToString().ToLowerInvariant()} with exit code {replica.ExitCode}"),
        { RestartCount: > 0 } => BakeWatch.Bad(spec.Name, $"{replica.Name} was restarted {replica.RestartCount} times"),
        _ => null,
    };

    /// <summary>As many failures in a row as successes were asked for at the gate: one slow answer under load is no illness.</summary>
    private async Task<StepFailure?> SickAsync(Release release, ServiceSpec spec, ObservedContainer replica, Dictionary<ContainerId, int> sick, CancellationToken cancellationToken)
    {
        var seen = await gates.AskAsync(release, spec, replica, cancellationToken);
        sick[replica.Id] = seen.Healthy ? 0 : sick.GetValueOrDefault(replica.Id) + 1;
        var limit = Gates.RuleOf(spec, release.Images.GetValueOrDefault(spec.Name)).Successes;
        return sick[replica.Id] >= limit ? BakeWatch.Bad(spec.Name, $"{replica.Name} failed {limit} probes in a row; the last: {seen.Detail}") : null;
    }

    private static BakeSpec RuleOf(ServiceSpec spec) => spec.BasMalin?.Bake ?? new();
}
