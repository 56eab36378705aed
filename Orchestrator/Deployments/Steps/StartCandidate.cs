using Orchestrator.Docker;

namespace Orchestrator.Deployments.Steps;

/// <summary>All replicas of every changed coloured service, beside the live ones.</summary>
public sealed class StartCandidate(StackContainers containers, SideColours sides, DependencyWait dependencies) : IDeploymentStep
{
    public StepKind Kind => StepKind.Start;

    public async Task<StepFailure?> ExecuteAsync(DeploymentWork work, CancellationToken cancellationToken)
    {
        if (work.Target is not { } release) return null;

        // Its colour was the warm one's, perhaps.
        if (!work.Plan.WarmSwap) await sides.HideAsync(work.StackName, cancellationToken);
        var names = new List<string>();
        foreach (var (action, spec) in work.Coloured)
        {
            var generation = work.CandidateOf(action);
            if (work.Plan.WarmSwap) continue;
            if (await dependencies.WaitAsync(work, spec, cancellationToken) is { } unmet) return unmet;

            work.Report($"{spec.Name}: starting {spec.Replicas} × {generation.Colour.ToString().ToLowerInvariant()}");
            await containers.ClearColourAsync(work.StackName, spec, generation, cancellationToken);
            try
            {
                await Task.WhenAll(Enumerable.Range(1, spec.Replicas).Select(replica => containers.StartAsync(spec, new(release, action.To, replica, work.Deployment.Id), cancellationToken)));
            }
            catch (EngineException failure) when (failure.Fault is EngineFault.BadRequest or EngineFault.NotFound or EngineFault.Conflict)
            {
                return new(FailureReason.ContainerExited, $"{spec.Name} could not be started: {failure.Message}", "Is the command in the image, and the user? The old version is still serving.");
            }

            names.Add($"{spec.Name} {spec.Replicas} × {generation.Colour.ToString().ToLowerInvariant()}");
        }

        work.Detail = names.Count > 0 ? string.Join(", ", names) : work.Plan.WarmSwap ? "still running" : null;
        return null;
    }

    public async Task UndoAsync(DeploymentWork work, CancellationToken cancellationToken)
    {
        if (work.Plan.WarmSwap) return;                             // the warm colour ran before this deployment, and stays

        foreach (var (action, spec) in work.Coloured)
            await containers.RemoveAsync(work.StackName, spec.Name, work.CandidateOf(action), spec.Container.StopGracePeriod, cancellationToken);
    }
}
