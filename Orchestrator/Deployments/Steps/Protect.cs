using System.Globalization;
using Orchestrator.Backups.Sets;

namespace Orchestrator.Deployments.Steps;

/// <summary>
/// The recovery point before the deployment, where a service of the stack asks for one with <c>backup.before_deploy</c>: what the data was, and which release
/// ran on it. A deployment that cannot be protected does not go on.
/// </summary>
public sealed class Protect(StackBackups backups, SetLedger sets, OperationBoard board) : IDeploymentStep
{
    public StepKind Kind => StepKind.Protect;

    /// <summary>Why the set was made; by this it is found again.</summary>
    public static string ReasonOf(DeploymentId deployment) => $"before-deployment:{deployment}";

    public async Task<StepFailure?> ExecuteAsync(DeploymentWork work, CancellationToken cancellationToken)
    {
        if (work.Current is not { } current || work.Plan.WarmSwap) return null;     // nothing has run yet, or nothing of the data changes
        if (!current.Stack.Services.Any(spec => spec.BasMalin?.Backup is { BeforeDeploy: true })) return null;
        if (work.ExchangesData)
        {
            work.Detail = "the present volumes are kept";
            return null;
        }

        var reason = ReasonOf(work.Deployment.Id);
        var made = (await sets.StandingAsync(work.StackName, cancellationToken)).FirstOrDefault(set => set.Reason == reason);     // entered twice
        if (made is null)
        {
            work.Report("taking a recovery point");
            var over = await board.RunAsync(
                work.StackName, "backup", async (progress, token) => (await backups.MakeAsync(work.StackName, reason, progress, token)).Id.Value, cancellationToken);
            cancellationToken.ThrowIfCancellationRequested();
            if (over.State != OperationState.Succeeded) return Failed(over, work);

            made = await sets.FindAsync(work.StackName, new(over.Result ?? ""), cancellationToken);
        }

        work.Detail = string.Create(CultureInfo.InvariantCulture, $"set {made?.Id}, {(made?.Bytes ?? 0) / 1048576.0:0.0} MiB");
        return null;
    }

    /// <summary>A recovery point that was taken is kept.</summary>
    public Task UndoAsync(DeploymentWork work, CancellationToken cancellationToken) => Task.CompletedTask;

    private static StepFailure Failed(BackupOperation over, DeploymentWork work) => new(
        FailureReason.BackupFailed,
        $"The backup before the deployment could not be made: {over.Problem}",
        $"{over.Hint} {work.StackName} is as it was. Mend the backup, or take before_deploy out of the file.");
}
