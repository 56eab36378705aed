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
/// <remarks>
/// When the journal's disk is full: before the shift is written down, what was begun is undone, which is what a restart would do; after it, both versions run and
/// the deployment waits until it can be written again. Only the traffic itself is moved back without waiting. When the engine is away: a step that
/// meets it fails, and its undo waits for the engine to come back.
/// </remarks>
public sealed partial class DeploymentRunner(
    ImmutableArray<IDeploymentStep> steps, IJournal journal, DeploymentEvents events, PatientUndo patience, TimeProvider time, ILogger<DeploymentRunner> logger)
{
    private static readonly TimeSpan RoomRetry = TimeSpan.FromSeconds(1);

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
            var failure = await EnterPatientlyAsync(work, step, either.Token, stopping);
            if (stopping.IsCancellationRequested && failure is { Reason: FailureReason.Cancelled } && !cancelled.IsCancellationRequested) return await SuspendAsync(work);
            if (failure is not null) return await UndoAsync(work, failure, stopping);
            if (work.Finished) break;
        }

        return await EndAsync(work, DeploymentState.Succeeded, null, stopping);
    }

    /// <summary>A moment of waiting for room on the journal's disk.</summary>
    public async Task RoomAsync(CancellationToken stopping) => await Task.Delay(RoomRetry, time, stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);

    private async Task<StepFailure?> EnterPatientlyAsync(DeploymentWork work, IDeploymentStep step, CancellationToken cancellationToken, CancellationToken stopping)
    {
        while (true)
        {
            try
            {
                return await EnterAsync(work, step, cancellationToken);
            }
            catch (JournalException unwritten)
            {
                TellUnwritten(work, step.Kind, unwritten);
                if (!HasShifted(work))
                    return new(FailureReason.JournalUnwritable, unwritten.Message, "What had been begun was undone; the version before is serving. Free space on the disk of the journal ('basmalin doctor' names it), and ask again.") { Step = step.Kind };
                if (stopping.IsCancellationRequested) return Cancelled(step.Kind);
            }

            await RoomAsync(stopping);                              // both versions run; every step may be entered twice
        }
    }

    /// <summary>Undoes what was entered, and ends the deployment with the failure.</summary>
    /// <param name="stopping">The daemon's stop: an undo that waits for the engine, and an end that cannot be written down, are left to the next start.</param>
    public async Task<Deployment> UndoAsync(DeploymentWork work, StepFailure failure, CancellationToken stopping)
    {
        LogFailed(work.Deployment.Id, failure.Reason, failure.Detail);
        if (work.Deployment.Failure is null)
        {
            // Before the first thing is undone: whoever finishes the undo must know why, and what had moved.
            work.Deployment = work.Deployment with { Failure = failure with { AfterShift = HasShifted(work) } };
            await TryWriteAsync(work, StepKind.Plan, () => journal.SaveDeploymentAsync(work.Deployment, CancellationToken.None));
        }

        if (!await UndoStepsAsync(work, stopping)) return work.Deployment;
        var reason = work.Deployment.Failure ?? failure;
        return await EndAsync(work, OutcomeOf(reason), reason, stopping);
    }

    /// <summary>Undoes what was entered, newest first, each step on its own: one that throws is journaled, and the remaining ones still run.</summary>
    /// <returns>False: the daemon stops while the engine is away. The next start undoes the rest.</returns>
    public async Task<bool> UndoStepsAsync(DeploymentWork work, CancellationToken stopping)
    {
        var began = time.GetTimestamp();
        var entered = work.Deployment.Steps.Where(step => step.State != StepState.Skipped).Select(step => step.Name).ToHashSet();
        foreach (var step in steps.Where(step => entered.Contains(step.Kind) && step.Kind >= StepKind.Foundation).Reverse())
        {
            // While the journal says that the candidate serves, its containers stay: a restart would send everybody there.
            while (step.Kind < StepKind.Shift && HasShifted(work) && !stopping.IsCancellationRequested)
            {
                if (await TryWriteAsync(work, StepKind.Shift, () => WriteUndoneAsync(work, StepKind.Shift))) break;
                await RoomAsync(stopping);
            }

            if (step.Kind < StepKind.Shift && HasShifted(work)) continue;
            if (!await UndoStepAsync(work, step, began, stopping)) return false;
        }

        return true;
    }

    /// <returns>False when the journal could not be written.</returns>
    private async Task<bool> TryWriteAsync(DeploymentWork work, StepKind step, Func<Task> write)
    {
        try
        {
            await write();
            work.Unwritten = null;
            return true;
        }
        catch (JournalException unwritten)
        {
            TellUnwritten(work, step, unwritten);
            return false;
        }
    }

    /// <summary>Once, and not each second for as long as it lasts.</summary>
    private void TellUnwritten(DeploymentWork work, StepKind step, JournalException unwritten)
    {
        if (work.Unwritten == unwritten.Message) return;
        work.Unwritten = unwritten.Message;
        LogUnwritten(work.Deployment.Id, step, unwritten.Message);
    }

    private static DeploymentState OutcomeOf(StepFailure failure) => failure.Reason == FailureReason.Cancelled
        ? DeploymentState.Cancelled
        : failure.AfterShift || failure.Reason == FailureReason.CanaryFailed ? DeploymentState.RolledBack : DeploymentState.Failed;

    private static bool HasShifted(DeploymentWork work) => work.Deployment.Steps.Any(step => step is { Name: StepKind.Shift, State: StepState.Succeeded });

    private async Task<StepFailure?> EnterAsync(DeploymentWork work, IDeploymentStep step, CancellationToken cancellationToken)
    {
        if (cancellationToken.IsCancellationRequested) return Cancelled(step.Kind);

        await journal.BeginStepAsync(work.Deployment.Id, step.Kind, CancellationToken.None);
        Show(work, new(step.Kind, StepState.Running, time.GetUtcNow(), null, null));
        work.Detail = null;
        var started = time.GetTimestamp();
        var failure = await TryExecuteAsync(work, step, cancellationToken);
        DeploymentMetrics.StepTook(Word(step.Kind), time.GetElapsedTime(started));
        if (failure is { Reason: FailureReason.Cancelled }) return failure;      // neither done nor failed: the row stays open, and is undone or resumed

        if (failure is not null)
        {
            failure = failure with { Step = step.Kind, AfterShift = HasShifted(work) };
            work.Deployment = work.Deployment with { Failure = failure };       // in one transaction with the row
        }

        await WriteEndAsync(work, step.Kind, failure is null ? StepState.Succeeded : StepState.Failed, failure?.Detail ?? work.Detail);
        return failure;
    }

    private async Task<StepFailure?> TryExecuteAsync(DeploymentWork work, IDeploymentStep step, CancellationToken cancellationToken)
    {
        var limit = StepDeadline.Of(step.Kind, work);
        var doing = "";
        work.Report = message => Tell(work, step.Kind, doing = message);
        using var deadline = new CancellationTokenSource(limit, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, deadline.Token);
        try
        {
            return await step.ExecuteAsync(work, either.Token);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            return Cancelled(step.Kind);
        }
        catch (OperationCanceledException) when (deadline.IsCancellationRequested)
        {
            return new(
                FailureReason.DeadlineExceeded,
                $"The step {Word(step.Kind)} was not done within {limit.TotalMinutes:0.#} min{(doing.Length > 0 ? $"; the last that was heard of it: {doing}" : "")}.",
                "It was given up, and what had been begun was undone. Does the container engine hang? 'basmalin doctor' looks at it; then ask again.");
        }
        catch (EngineException lost)
        {
            return new(
                lost.Fault is EngineFault.Unreachable or EngineFault.TimedOut ? FailureReason.EngineUnreachable : FailureReason.EngineError,
                lost.Message,
                lost.Fault == EngineFault.NoAddresses
                    ? "The engine has no addresses left for another network: its usual pools hold about thirty. Remove networks that nobody uses ('docker network prune'), or give it smaller pools: default-address-pools in /etc/docker/daemon.json."
                    : "Is the container engine running? 'basmalin doctor' looks at it.");
        }
        catch (Exception defect) when (defect is not JournalException)
        {
            LogDefect(defect, work.Deployment.Id, step.Kind);
            return new(FailureReason.Unexpected, $"{defect.GetType().Name}: {defect.Message}", "This is a defect of BasMalin: the daemon's log has the whole of it. The old version is still serving.");
        }
    }

    /// <returns>False: it is left to the next start.</returns>
    private async Task<bool> UndoStepAsync(DeploymentWork work, IDeploymentStep step, long began, CancellationToken stopping)
    {
        work.Report = message => Tell(work, step.Kind, message);
        try
        {
            await patience.RunAsync(step, work, began, stopping);
            await TryWriteAsync(work, step.Kind, () => WriteUndoneAsync(work, step.Kind));
        }
        catch (EngineException away) when (stopping.IsCancellationRequested && PatientUndo.Passes(away))
        {
            return false;
        }
        catch (Exception problem)
        {
            LogUndoFailed(problem, work.Deployment.Id, step.Kind);
            await TryWriteAsync(work, step.Kind, () => WriteEndAsync(work, step.Kind, StepState.UndoFailed, problem.Message));
        }

        return true;
    }

    /// <summary>The daemon stops: nothing is undone; it is resumed, or undone and run again, when it starts.</summary>
    private async Task<Deployment> SuspendAsync(DeploymentWork work)
    {
        work.Deployment = work.Deployment with { Suspended = true };
        await TryWriteAsync(work, StepKind.Plan, () => journal.SaveDeploymentAsync(work.Deployment, CancellationToken.None));
        LogSuspended(work.Deployment.Id);
        return work.Deployment;
    }

    private async Task<Deployment> EndAsync(DeploymentWork work, DeploymentState state, StepFailure? failure, CancellationToken stopping)
    {
        var running = work.Deployment;
        work.Deployment = running with { State = state, Failure = failure, EndedAt = time.GetUtcNow(), Suspended = false };
        while (!await TryWriteAsync(work, StepKind.Commit, () => journal.SaveDeploymentAsync(work.Deployment, CancellationToken.None)))
        {
            if (stopping.IsCancellationRequested) return running;   // not ended for anybody: the next start ends it
            await RoomAsync(stopping);
        }

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
        var row = new StepRecord(step, state, before?.StartedAt ?? now, ended, state == StepState.Undone ? before?.Detail : detail);
        await journal.EndStepAsync(new(work.Deployment, step, state, row.Detail, work.StateChanged ? work.State : null, work.CommitRelease), CancellationToken.None);
        work.StateChanged = false;
        work.CommitRelease = false;
        Show(work, row);                                            // what is shown is durable
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

    [LoggerMessage(EventId = 2607, Level = LogLevel.Error, Message = "Deployment {Deployment}: what became of step {Step} cannot be written down: {Problem}")]
    private partial void LogUnwritten(DeploymentId deployment, StepKind step, string problem);

    [LoggerMessage(EventId = 2111, Level = LogLevel.Error, Message = "Deployment {Deployment}: a defect in step {Step}")]
    private partial void LogDefect(Exception defect, DeploymentId deployment, StepKind step);

    [LoggerMessage(EventId = 2112, Level = LogLevel.Error, Message = "Deployment {Deployment}: step {Step} could not be undone, the others were")]
    private partial void LogUndoFailed(Exception problem, DeploymentId deployment, StepKind step);
}
