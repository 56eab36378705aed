using Orchestrator.Planning;

namespace Orchestrator.Deployments;

/// <summary>What is done with a deployment that was under way when the daemon went.</summary>
public abstract record RecoveryAction
{
    private RecoveryAction()
    {
    }

    /// <summary>It had not begun: it waits its turn as before.</summary>
    public sealed record Wait : RecoveryAction;

    /// <summary>The traffic has moved: it goes on from here.</summary>
    public sealed record Continue(StepKind From) : RecoveryAction;

    /// <summary>The traffic has not moved, or has to move back: what was begun is undone.</summary>
    /// <param name="RunAgain">The daemon was stopped in an orderly way: it is run again from its beginning. Else it has failed, and says so.</param>
    public sealed record Undo(bool RunAgain) : RecoveryAction;
}

/// <summary>Pure: journal → what to do. The row of the shift decides, because it is written in one transaction with the stack's new state.</summary>
public static class Recovery
{
    public static RecoveryAction Decide(Deployment deployment)
    {
        if (deployment.State == DeploymentState.Queued) return new RecoveryAction.Wait();

        // A commit that is written down is true, whatever was asked for since.
        if (deployment.Steps.Any(step => step is { Name: StepKind.Commit, State: StepState.Succeeded })) return new RecoveryAction.Continue(StepKind.Commit);

        var given = deployment.Failure is not null || deployment.CancelRequested;
        var undoing = given || deployment.Steps.Any(step => step.State is StepState.Failed or StepState.Undone or StepState.UndoFailed);
        var shifted = deployment.Steps.Any(step => step is { Name: StepKind.Shift, State: StepState.Succeeded });
        if (!shifted || undoing) return new RecoveryAction.Undo(deployment.Suspended && !given);

        var next = deployment.Steps.Where(step => step.State == StepState.Succeeded).Max(step => step.Name) + 1;
        return new RecoveryAction.Continue(next > StepKind.Commit ? StepKind.Commit : next);
    }

    /// <summary>
    /// What the routes are laid from before anybody is let in: the recorded state; or, of a deployment that will be undone, what served before it.
    /// A version that was found bad gets no request from a daemon that comes back.
    /// </summary>
    /// <param name="unfinished">The stack's deployment that was under way; null: none.</param>
    public static StackState Serving(StackState recorded, Deployment? unfinished) =>
        unfinished is { State: DeploymentState.Running, Before: { } before } && Decide(unfinished) is RecoveryAction.Undo
            ? before with { Maintenance = recorded.Maintenance, MaintenanceAllow = recorded.MaintenanceAllow }
            : recorded;
}
