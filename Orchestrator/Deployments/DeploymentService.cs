using System.Collections.Immutable;
using System.Runtime.CompilerServices;
using Orchestrator.Deployments.Steps;
using Orchestrator.Journal;
using Orchestrator.Planning;

namespace Orchestrator.Deployments;

/// <summary>The one door through which API, command line, webhook and start-up go.</summary>
public sealed class DeploymentService(DeploymentQueue queue, MakePlan planner, StackStatusReader status, StackTraffic traffic, DeploymentEvents events, IJournal journal)
{
    /// <summary>Writes the request down and sees that it is worked off. When it returns, the deployment survives the daemon.</summary>
    public async Task<Admission> SubmitAsync(DeploymentRequest request, string? idempotencyKey, CancellationToken cancellationToken)
    {
        var admission = await journal.AdmitAsync(request, idempotencyKey, cancellationToken);
        foreach (var id in admission.Superseded)
        {
            if (await journal.FindDeploymentAsync(id, cancellationToken) is { } superseded) events.Publish(new(superseded, null, null, superseded.CreatedAt));
        }

        if (!admission.Known) events.Publish(new(admission.Deployment, null, null, admission.Deployment.CreatedAt));
        queue.Wake(request.Stack);
        return admission;
    }

    /// <summary>What a request would do, without doing anything.</summary>
    public async Task<PlanOutcome> PlanAsync(DeploymentRequest request, CancellationToken cancellationToken)
    {
        var state = await journal.FindStackAsync(request.Stack, cancellationToken) ?? new StackState { Stack = request.Stack };
        var current = state.CurrentRelease > 0 ? await journal.FindReleaseAsync(request.Stack, state.CurrentRelease, cancellationToken) : null;
        var imagined = new Deployment { Id = default, Request = request, State = DeploymentState.Queued, CreatedAt = default, Before = state };
        var work = new DeploymentWork(imagined, state, current is null ? null : VolumeNames.Over(current, state.Volumes));
        if (await planner.AimAsync(work, cancellationToken) is { } failure) return new(null, failure);

        return work.Target is { } target && traffic.FindConflict(target) is { } conflict
            ? new(null, new(FailureReason.RouteConflict, conflict.ToString(), "Change the host or path, or remove the other stack."))
            : new(await planner.PlanAsync(work, cancellationToken), null);
    }

    public Task<CancelOutcome> CancelAsync(DeploymentId id, CancellationToken cancellationToken) => queue.CancelAsync(id, cancellationToken);

    /// <summary>The present state first, then everything that happens; ends when the deployment has. Empty when there is no such deployment.</summary>
    public async IAsyncEnumerable<DeploymentEvent> WatchAsync(DeploymentId id, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        using var subscription = events.Subscribe();
        if (await journal.FindDeploymentAsync(id, cancellationToken) is not { } now) yield break;

        yield return new(now, now.Steps.LastOrDefault(step => step.State == StepState.Running)?.Name, null, now.StartedAt ?? now.CreatedAt);
        if (now.Ended) yield break;

        await foreach (var happened in subscription.ReadAsync(cancellationToken))
        {
            if (happened.Deployment.Id != id) continue;
            yield return happened;
            if (happened.Deployment.Ended) yield break;
        }
    }

    /// <summary>Everything that happens in any deployment, from now on.</summary>
    public async IAsyncEnumerable<DeploymentEvent> WatchAllAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        using var subscription = events.Subscribe();
        await foreach (var happened in subscription.ReadAsync(cancellationToken)) yield return happened;
    }

    public Task<ImmutableArray<StackStatus>> StatusAsync(CancellationToken cancellationToken) => status.AllAsync(cancellationToken);

    public Task<StackStatus?> StatusAsync(string stack, CancellationToken cancellationToken) => status.OneAsync(stack, cancellationToken);

    /// <param name="allow">Networks, in CIDR notation, whose clients get through all the same.</param>
    /// <returns>False when there is no such stack.</returns>
    public async Task<bool> SetMaintenanceAsync(string stack, bool on, ImmutableArray<string> allow, CancellationToken cancellationToken)
    {
        if (await journal.FindStackAsync(stack, cancellationToken) is not { } state) return false;
        await journal.SaveStackAsync(state with { Maintenance = on, MaintenanceAllow = allow }, cancellationToken);
        traffic.SetMaintenance(stack, on, allow);
        return true;
    }
}

/// <summary>A plan, or why there can be none.</summary>
public sealed record PlanOutcome(Plan? Plan, StepFailure? Failure);
