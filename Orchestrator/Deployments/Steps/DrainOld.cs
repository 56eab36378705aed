using Orchestrator.Traffic;

namespace Orchestrator.Deployments.Steps;

/// <summary>The old colour gets no new request; what it has is let end. The bake's watch goes on meanwhile: a bad version is not waited for.</summary>
public sealed class DrainOld(StackContainers containers, Bake bake) : IDeploymentStep
{
    public StepKind Kind => StepKind.Drain;

    public async Task<StepFailure?> ExecuteAsync(DeploymentWork work, CancellationToken cancellationToken)
    {
        var drains = work.Retired.Select(pair => pair.Value.DrainAsync(BudgetOf(work, pair.Key), cancellationToken)).ToList();
        if (await bake.WhileAsync(work, Task.WhenAll(drains), cancellationToken) is { } failure) return failure;

        await LeaveNamesAsync(work, cancellationToken);
        work.Deployment = work.Deployment with { Requests = work.Watch?.Requests ?? work.Deployment.Requests };
        work.Detail = Describe([.. drains.Select(drain => drain.Result)]);
        return null;
    }

    public Task UndoAsync(DeploymentWork work, CancellationToken cancellationToken) => Task.CompletedTask;

    private async Task LeaveNamesAsync(DeploymentWork work, CancellationToken cancellationToken)
    {
        if (work.Current is not { } current || work.Deployment.Before is not { } before) return;

        foreach (var (service, generation) in before.Live)
        {
            if (work.State.Live.GetValueOrDefault(service) != generation && current.Stack.Find(service) is { } spec)
                await containers.LeaveNamesAsync(current.Stack, spec, generation, cancellationToken);
        }
    }

    private static DrainBudget BudgetOf(DeploymentWork work, string service)
    {
        var drain = (work.Current?.Stack.Find(service) ?? work.Wanted.Find(service))?.BasMalin?.Drain ?? new();
        return new(drain.Http, drain.WebSocket);
    }

    private static string? Describe(IReadOnlyCollection<DrainReport> reports) => reports.Count == 0
        ? null
        : $"{reports.Sum(report => report.HttpCompleted - report.EventStreamsEnded)} requests ended by themselves, {reports.Sum(report => report.HttpAborted)} cut off; "
          + $"{reports.Sum(report => report.EventStreamsEnded)} event streams asked to come back; "
          + $"{reports.Sum(report => report.WebSocketsClosed)} WebSockets closed, {reports.Sum(report => report.WebSocketsAborted)} cut off; {reports.Max(report => report.Took).TotalSeconds:0.00} s";
}
