namespace Orchestrator.Deployments;

/// <summary>
/// One step of a deployment. It may be entered twice, because the daemon may have died in the middle of it: "already done" is success.
/// </summary>
public interface IDeploymentStep
{
    StepKind Kind { get; }

    /// <returns>Null when it is done; an expected failure otherwise. An exception is a defect or a lost engine.</returns>
    Task<StepFailure?> ExecuteAsync(DeploymentWork work, CancellationToken cancellationToken);

    /// <summary>Takes back what the step did, or did in part.</summary>
    Task UndoAsync(DeploymentWork work, CancellationToken cancellationToken);
}
