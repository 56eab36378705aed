using Orchestrator.Docker;

namespace Orchestrator.Health;

/// <summary>Asks the engine what the container's own health check says.</summary>
public sealed class DockerHealthProbe(IContainerEngine engine, ContainerId id) : IHealthProbe
{
    public async Task<ProbeResult> ProbeAsync(CancellationToken cancellationToken)
    {
        try
        {
            return Judge(await engine.InspectAsync(id, cancellationToken));
        }
        catch (EngineException failure)
        {
            return new ProbeResult(false, $"health of {id}: {failure.Message}");
        }
    }

    private ProbeResult Judge(ObservedContainer? container) => container switch
    {
        null => new ProbeResult(false, $"health of {id}: there is no such container"),
        { State: not ContainerState.Running } => new ProbeResult(false, $"health of {container.Name}: it is {container.State.ToString().ToLowerInvariant()}"),
        { Health: DockerHealth.Healthy } => new ProbeResult(true, $"health of {container.Name}: healthy"),
        { Health: DockerHealth.None } => new ProbeResult(false, $"health of {container.Name}: it has no health check") { Hint = ProbeHint.NoHealthcheck },
        _ => new ProbeResult(false, $"health of {container.Name}: {container.Health.ToString().ToLowerInvariant()}{Said(container)}")
        {
            Hint = container.HealthDetail is { } detail ? ProbeHints.FromOutput(detail) : null,
        },
    };

    private static string Said(ObservedContainer container) =>
        string.IsNullOrWhiteSpace(container.HealthDetail) ? "" : $"; its last check said: {Excerpt.Of(container.HealthDetail)}";
}
