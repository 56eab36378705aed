namespace Orchestrator.Deployments.Steps;

/// <summary>Networks, volumes, and the services in place that others stand on, in the order of <c>depends_on</c>.</summary>
public sealed class Foundation(StackContainers containers, InPlaceServices inPlace, StackTraffic traffic) : IDeploymentStep
{
    /// <summary>The most that requests are held while data is exchanged; the edge's own limits end it for each of them before.</summary>
    private static readonly TimeSpan LongestPause = TimeSpan.FromMinutes(10);

    public StepKind Kind => StepKind.Foundation;

    public async Task<StepFailure?> ExecuteAsync(DeploymentWork work, CancellationToken cancellationToken)
    {
        if (work.Deployment.Plan is { WarmSwap: true }) return null;      // all of it runs already, and nothing is made anew

        await containers.EnsureNetworksAndVolumesAsync(work.Wanted, cancellationToken);
        if (work.ExchangesData) traffic.PauseAll(work.StackName, LongestPause);      // what the old version wrote from here on would be lost
        var failure = await inPlace.BringAsync(work, afterShift: false, cancellationToken);
        if (failure is not null) return failure;

        await containers.JoinPeersAsync(work.Wanted, work.Wanted.Services.Where(spec => work.Plan.Find(spec.Name)?.To is null), cancellationToken);
        return null;
    }

    /// <summary>Networks and volumes stay: they are empty, or hold data.</summary>
    public async Task UndoAsync(DeploymentWork work, CancellationToken cancellationToken)
    {
        await inPlace.TakeBackAsync(work, afterShift: false, cancellationToken);
        if (work.ExchangesData) traffic.ResumeAll(work.StackName);
    }
}

/// <summary>Services in place that depend on a coloured one: they come after the switch.</summary>
public sealed class Dependants(InPlaceServices inPlace) : IDeploymentStep
{
    public StepKind Kind => StepKind.Dependants;

    public Task<StepFailure?> ExecuteAsync(DeploymentWork work, CancellationToken cancellationToken) => inPlace.BringAsync(work, afterShift: true, cancellationToken);

    public Task UndoAsync(DeploymentWork work, CancellationToken cancellationToken) => inPlace.TakeBackAsync(work, afterShift: true, cancellationToken);
}
