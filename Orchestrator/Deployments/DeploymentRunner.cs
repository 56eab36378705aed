using System.Collections.Immutable;
using Microsoft.Extensions.Logging;
using Orchestrator.Docker;
using Orchestrator.Journal;
using Orchestrator.Telemetry;

namespace Orchestrator.Deployments;

/// <summary>
/// Runs a deployment step by step: the intent is journaled before each effect and the outcome after it. A failure or a cancel undoes what was
/// entered, newest first; the daemon's own stop leaves everything as it is, to be resumed.
/// </summary>
public sealed partial class DeploymentRunner(
    ImmutableArray<IDeploymentStep> steps, IJournal journal, DeploymentEvents events, TimeProvider time, ILogger<DeploymentRunner> logger)
{
    private static readonly TimeSpan UndoBudget = TimeSpan.FromMinutes(5);

    /// <param name="from">The first step to run; a resumed deployment begins behind what is done.</param>
    /// <param name="cancelled">The operator's cancel: undoes.</param>
    /// <param name="stopping">The daemon's stop: suspends.</param>
    /// <returns>The deployment as it ended; or as it stands, when the daemon stops.</returns>
    public async Task<Deployment> RunAsync(DeploymentWork work, StepKind from, CancellationToken cancelled, CancellationToken stopping)
    {
        using var running = DeploymentMetrics.TrackRunning();
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancelled, stopping);
        LogBegun(work.Deployment.Id, work.Request.Kind, work.StackName, work.Request.Origin);
        foreach (var step in steps.Where(step => step.Kind >= from))
        {
            var failure = await EnterAsync(work, step, either.Token);
            if (stopping.IsCancellationRequested && failure is { Reason: FailureReason.Cancelled } && !cancelled.IsCancellationRequested) return await SuspendAsync(work);
            if (failure is not null) return await UndoAsync(work, failure);
            if (work.Finished) break;
        }

        return await EndAsync(work, DeploymentState.Succeeded, null);
    }

    /// <summary>Undoes what was entered, and ends the deployment with the failure.</summary>
    public async Task<Deployment> UndoAsync(DeploymentWork work, StepFailure failure)
    {
        LogFailed(work.Deployment.Id, failure.Reason, failure.Detail);
        work.Deployment = work.Deployment with { Failure = failure };
        var shifted = work.Deployment.Steps.Any(step => step is { Name: StepKind.Shift, State: StepState.Succeeded });
        await UndoStepsAsync(work);
        return await EndAsync(work, OutcomeOf(failure, shifted), failure);
    }

    /// <summary>Undoes what was entered, newest first, each step on its own: one that throws is journaled, and the remaining ones still run.</summary>
    public async Task UndoStepsAsync(DeploymentWork work)
    {
        var entered = work.Deployment.Steps.Where(step => step.State != StepState.Skipped).Select(step => step.Name).ToHashSet();
        foreach (var step in steps.Where(step => entered.Contains(step.Kind) && step.Kind >= StepKind.Foundation).Reverse()) await UndoStepAsync(work, step);
    }

    private static DeploymentState OutcomeOf(StepFailure failure, bool shifted) => failure.Reason == FailureReason.Cancelled
        ? DeploymentState.Cancelled
        : shifted || failure.Reason == FailureReason.CanaryFailed ? DeploymentState.RolledBack : DeploymentState.Failed;

    private async Task<StepFailure?> EnterAsync(DeploymentWork work, IDeploymentStep step, CancellationToken cancellationToken)
    {
        if (cancellationToken.IsCancellationRequested) return Cancelled(step.Kind);

        await journal.BeginStepAsync(work.Deployment.Id, step.Kind, CancellationToken.None);
        Show(work, new(step.Kind, StepState.Running, time.GetUtcNow(), null, null));
        work.Detail = null;
        work.Report = message => Tell(work, step.Kind, message);
        var started = time.GetTimestamp();
        var failure = await TryExecuteAsync(work, step, cancellationToken);
        DeploymentMetrics.StepTook(Word(step.Kind), time.GetElapsedTime(started));
        if (failure is { Reason: FailureReason.Cancelled }) return failure;      // neither done nor failed: the row stays open, and is undone or resumed

        if (failure is not null) failure = failure with { Step = step.Kind };
        await WriteEndAsync(work, step.Kind, failure is null ? StepState.Succeeded : StepState.Failed, failure?.Detail ?? work.Detail);
        return failure;
    }

    private async Task<StepFailure?> TryExecuteAsync(DeploymentWork work, IDeploymentStep step, CancellationToken cancellationToken)
    {
        try
        {
            return await step.ExecuteAsync(work, cancellationToken);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            return Cancelled(step.Kind);
        }
        catch (EngineException lost)
        {
            return new(
                lost.Fault is EngineFault.Unreachable or EngineFault.TimedOut ? FailureReason.EngineUnreachable : FailureReason.EngineError,
                lost.Message, "Is the container engine running? 'basmalin doctor' looks at it.");
        }
        catch (Exception defect) when (defect is not JournalException)
        {
            LogDefect(defect, work.Deployment.Id, step.Kind);
            return new(FailureReason.Unexpected, $"{defect.GetType().Name}: {defect.Message}", "This is a defect of BasMalin: the daemon's log has the whole of it. The old version is still serving.");
        }
    }

    private async Task UndoStepAsync(DeploymentWork work, IDeploymentStep step)
    {
        using var budget = new CancellationTokenSource(UndoBudget, time);
        work.Report = message => Tell(work, step.Kind, message);
        try
        {
            await step.UndoAsync(work, budget.Token);
            await WriteUndoneAsync(work, step.Kind);
        }
        catch (Exception problem) when (problem is not JournalException)
        {
            LogUndoFailed(problem, work.Deployment.Id, step.Kind);
            await WriteEndAsync(work, step.Kind, StepState.UndoFailed, problem.Message);
        }
    }

    /// <summary>The daemon stops: nothing is undone; it is resumed, or undone and run again, when it starts.</summary>
    private async Task<Deployment> SuspendAsync(DeploymentWork work)
    {
        work.Deployment = work.Deployment with { Suspended = true };
        await journal.SaveDeploymentAsync(work.Deployment, CancellationToken.None);
        LogSuspended(work.Deployment.Id);
        return work.Deployment;
    }

    private async Task<Deployment> EndAsync(DeploymentWork work, DeploymentState state, StepFailure? failure)
    {
        work.Deployment = work.Deployment with { State = state, Failure = failure, EndedAt = time.GetUtcNow(), Suspended = false };
        await journal.SaveDeploymentAsync(work.Deployment, CancellationToken.None);
        DeploymentMetrics.Ended(work.StackName, Word(state));
        DeploymentMetrics.Serves(work.StackName, work.State.CurrentRelease);
        LogEnded(work.Deployment.Id, state, work.Deployment.Requests.Failed, work.Deployment.Requests.Total);
        events.Publish(new(work.Deployment, null, null, time.GetUtcNow()));
        return work.Deployment;
    }

    /// <summary>What failed stays the step that failed; only what had been done is undone.</summary>
    private Task WriteUndoneAsync(DeploymentWork work, StepKind step) => work.Deployment.Steps.FirstOrDefault(row => row.Name == step) is { State: StepState.Failed } failed
        ? WriteEndAsync(work, step, StepState.Failed, failed.Detail)
        : WriteEndAsync(work, step, StepState.Undone, null);

    private async Task WriteEndAsync(DeploymentWork work, StepKind step, StepState state, string? detail)
    {
        var before = work.Deployment.Steps.FirstOrDefault(row => row.Name == step);
        var now = time.GetUtcNow();
        var ended = before?.EndedAt ?? now;                        // set already: this is the undo, and the step's own end stays
        Show(work, new(step, state, before?.StartedAt ?? now, ended, state == StepState.Undone ? before?.Detail : detail));
        await journal.EndStepAsync(new(work.Deployment, step, state, work.Deployment.Steps.First(row => row.Name == step).Detail, work.StateChanged ? work.State : null, work.CommitRelease), CancellationToken.None);
        work.StateChanged = false;
        work.CommitRelease = false;
    }

    private void Show(DeploymentWork work, StepRecord row)
    {
        work.Deployment = work.Deployment with { Steps = [.. work.Deployment.Steps.Where(step => step.Name != row.Name).Append(row).OrderBy(step => step.Name)] };
        events.Publish(new(work.Deployment, row.Name, row.Detail, time.GetUtcNow()));
    }

    private void Tell(DeploymentWork work, StepKind step, string message) => events.Publish(new(work.Deployment, step, message, time.GetUtcNow()));

    private static StepFailure Cancelled(StepKind step) => new(FailureReason.Cancelled, $"Cancelled in the step {Word(step)}.", "The previous version is serving.") { Step = step };

    private static string Word<T>(T value) where T : struct, Enum => System.Text.Json.JsonNamingPolicy.CamelCase.ConvertName(value.ToString());

    [LoggerMessage(EventId = 2101, Level = LogLevel.Information, Message = "Deployment {Deployment} ({Kind} of {Stack}, asked by {Origin}) begins")]
    private partial void LogBegun(DeploymentId deployment, DeploymentKind kind, string stack, string origin);

    [LoggerMessage(EventId = 2102, Level = LogLevel.Information, Message = "Deployment {Deployment} ended: {State}; {Failed} of {Total} requests failed")]
    private partial void LogEnded(DeploymentId deployment, DeploymentState state, long failed, long total);

    [LoggerMessage(EventId = 2103, Level = LogLevel.Information, Message = "Deployment {Deployment} is suspended while the daemon is away")]
    private partial void LogSuspended(DeploymentId deployment);

    [LoggerMessage(EventId = 2110, Level = LogLevel.Error, Message = "Deployment {Deployment} failed: {Reason}: {Detail}")]
    private partial void LogFailed(DeploymentId deployment, FailureReason reason, string detail);

    [LoggerMessage(EventId = 2111, Level = LogLevel.Error, Message = "Deployment {Deployment}: a defect in step {Step}")]
    private partial void LogDefect(Exception defect, DeploymentId deployment, StepKind step);

    [LoggerMessage(EventId = 2112, Level = LogLevel.Error, Message = "Deployment {Deployment}: step {Step} could not be undone, the others were")]
    private partial void LogUndoFailed(Exception problem, DeploymentId deployment, StepKind step);
}
