using Orchestrator.Docker;
using Orchestrator.Planning;
using Orchestrator.Stacks;

namespace Orchestrator.Deployments.Steps;

/// <summary>A one-shot container of the new image for each service that declares one and whose image changes. Never on a rollback: migrations go forward; always on restored data, which may be from before them.</summary>
public sealed class Migrate(StackContainers containers, DependencyWait dependencies, TimeProvider time) : IDeploymentStep
{
    public StepKind Kind => StepKind.Migrate;

    public async Task<StepFailure?> ExecuteAsync(DeploymentWork work, CancellationToken cancellationToken)
    {
        foreach (var (action, spec) in Migrations(work))
        {
            if (await dependencies.WaitAsync(work, spec, cancellationToken) is { } unmet) return unmet;
            if (await RunAsync(work, action, spec, cancellationToken) is { } failure) return failure;
        }

        return null;
    }

    /// <summary>What a migration did to the data stays; its container goes.</summary>
    public async Task UndoAsync(DeploymentWork work, CancellationToken cancellationToken)
    {
        var left = (await containers.ListAsync(work.StackName, cancellationToken)).Where(seen => seen.IsMigration && seen.Labels.GetValueOrDefault(Labels.Deployment) == work.Deployment.Id.ToString());
        await containers.RemoveAllAsync(left, TimeSpan.FromSeconds(5), cancellationToken);
    }

    private static IEnumerable<(ServiceAction Action, ServiceSpec Spec)> Migrations(DeploymentWork work) => work.Request.Kind == DeploymentKind.Rollback
        ? []
        : work.Coloured.Where(item => item.Spec.BasMalin is { Migrate.IsEmpty: false } && (item.Action.Kind == ServiceActionKind.Create || work.Request.Kind == DeploymentKind.Restore || item.Action.Changes.Any(change => change.Path is "image" or "bas_malin.migrate")));

    private async Task<StepFailure?> RunAsync(DeploymentWork work, ServiceAction action, ServiceSpec spec, CancellationToken cancellationToken)
    {
        if (work.Target is not { } release || spec.BasMalin is not { } settings) return null;

        work.Report($"{spec.Name}: migrating ({string.Join(' ', settings.Migrate)})");
        var started = time.GetTimestamp();
        var id = await containers.StartMigrationAsync(spec, new(release, action.To, 0, work.Deployment.Id), settings.Migrate, cancellationToken);
        using var limit = new CancellationTokenSource(settings.MigrateTimeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        try
        {
            var code = await containers.Engine.WaitAsync(id, either.Token);
            if (code != 0) return await FailedAsync(id, spec, $"ended with exit code {code}", cancellationToken);
        }
        catch (OperationCanceledException) when (limit.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            return await FailedAsync(id, spec, $"was not done within {settings.MigrateTimeout.TotalSeconds:0} s (migrate_timeout)", cancellationToken);
        }

        await containers.Engine.RemoveAsync(id, TimeSpan.Zero, cancellationToken);
        work.Detail = $"{spec.Name} in {time.GetElapsedTime(started).TotalSeconds:0.0} s";
        return null;
    }

    private async Task<StepFailure> FailedAsync(ContainerId id, ServiceSpec spec, string what, CancellationToken cancellationToken) => new(
        FailureReason.MigrationFailed,
        $"The migration of {spec.Name} {what}. Its last lines:\n{await containers.LastWordsAsync(id, cancellationToken)}",
        "The old version is still serving. Migrations must work with both versions of the application; mend it and deploy again.");
}
