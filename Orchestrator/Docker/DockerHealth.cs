namespace Orchestrator.Docker;

public enum DockerHealth
{
    /// <summary>The container has no health check.</summary>
    None,
    Starting,
    Healthy,
    Unhealthy,
}
