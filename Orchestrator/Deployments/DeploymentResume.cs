using System.Collections.Immutable;
using Microsoft.Extensions.Logging;
using Orchestrator.Journal;
using Orchestrator.Planning;
using Orchestrator.Traffic;

namespace Orchestrator.Deployments;

/// <summary>From the journal to a deployment that can be run, resumed or undone.</summary>
public sealed partial class DeploymentResume(IJournal journal, StackContainers containers, StackTraffic traffic, TimeProvider time, ILogger<DeploymentResume> logger)
{
    /// <summary>Why a deployment is undone that was under way when the daemon ended: what was written down, else that it was cancelled or interrupted.</summary>
    public static StepFailure ReasonOf(Deployment deployment) => deployment switch
    {
        { Failure: { } known } => known,
        { CancelRequested: true } => new(FailureReason.Cancelled, "Cancelled; the daemon ended before it was undone, and did so when it came back.", "The previous version is serving."),
        _ => new(FailureReason.Interrupted, "The daemon ended in the middle of it, before the traffic had moved. What had been begun was undone.", "Ask for it again; the version before is serving."),
    };

    public async Task<(DeploymentWork Work, RecoveryAction Action)> PrepareAsync(Deployment deployment, CancellationToken cancellationToken)
    {
        var action = Recovery.Decide(deployment);
        var stack = deployment.Request.Stack;
        var state = await journal.FindStackAsync(stack, cancellationToken) ?? new StackState { Stack = stack };
        if (action is RecoveryAction.Wait)
        {
            deployment = deployment with { State = DeploymentState.Running, StartedAt = time.GetUtcNow(), Before = state, Suspended = false, Steps = [] };
            await journal.SaveDeploymentAsync(deployment, cancellationToken);
        }

        var before = deployment.Before ?? state;
        var current = before.CurrentRelease > 0 ? await journal.FindReleaseAsync(stack, before.CurrentRelease, cancellationToken) : null;
        var work = new DeploymentWork(deployment, state, current is null ? null : VolumeNames.Over(current, before.Volumes));
        if (action is not RecoveryAction.Wait) await ResumeAsync(work, action, cancellationToken);
        if (action is not RecoveryAction.Undo { RunAgain: true }) work.Deployment = work.Deployment with { Suspended = false };
        return (work, action);
    }

    /// <summary>After the undo of a deployment that the daemon's orderly stop had interrupted: it waits to be run again, with a clean record.</summary>
    public async Task<Deployment> RequeueAsync(Deployment undone, CancellationToken cancellationToken)
    {
        var again = undone with { State = DeploymentState.Queued, StartedAt = null, EndedAt = null, Release = null, Plan = null, Failure = null, Suspended = false, Steps = [] };
        await journal.SaveDeploymentAsync(again, cancellationToken);
        LogAgain(again.Id);
        return again;
    }

    private async Task ResumeAsync(DeploymentWork work, RecoveryAction action, CancellationToken cancellationToken)
    {
        if (work.Deployment.Release is { } number) work.Target = await journal.FindReleaseAsync(work.StackName, number, cancellationToken);
        if (work.Target is { } named) work.Target = VolumeNames.Over(named, work.Volumes);
        if (work.Target is { } target && work.Deployment.Plan is not null && action is RecoveryAction.Continue)
        {
            var live = traffic.LiveOf(work.StackName);
            foreach (var (candidate, spec) in work.Coloured)
            {
                if (live.TryGetValue(spec.Name, out var routed)) work.Candidates = work.Candidates.SetItem(spec.Name, routed);
                await containers.TakeNamesAsync(target.Stack, spec, work.CandidateOf(candidate), cancellationToken);
            }

            work.Watch = new BakeWatch(work.Candidates, ImmutableDictionary<string, Upstream>.Empty, time);
        }

        LogResumed(work.Deployment.Id, action.ToString());
    }

    [LoggerMessage(EventId = 2401, Level = LogLevel.Warning, Message = "Deployment {Deployment} was under way when the daemon ended: {Action}")]
    private partial void LogResumed(DeploymentId deployment, string action);

    [LoggerMessage(EventId = 2402, Level = LogLevel.Information, Message = "Deployment {Deployment} is run again from its beginning")]
    private partial void LogAgain(DeploymentId deployment);
}
