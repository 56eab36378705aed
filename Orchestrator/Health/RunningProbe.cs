using Orchestrator.Docker;

namespace Orchestrator.Health;

/// <summary>Healthy while the container runs: all that can be said of one that has neither a port nor a health check.</summary>
public sealed class RunningProbe(IContainerEngine engine, ContainerId id) : IHealthProbe
{
    public async Task<ProbeResult> ProbeAsync(CancellationToken cancellationToken)
    {
        try
        {
            var container = await engine.InspectAsync(id, cancellationToken);
            return container is null
                ? new ProbeResult(false, $"there is no container {id}")
                : new ProbeResult(container.State == ContainerState.Running, $"{container.Name} is {container.State.ToString().ToLowerInvariant()}");
        }
        catch (EngineException failure)
        {
            return new ProbeResult(false, $"state of {id}: {failure.Message}");
        }
    }
}
