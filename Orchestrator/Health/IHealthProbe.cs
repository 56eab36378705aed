namespace Orchestrator.Health;

/// <summary>Asks a container once whether it is well. A refusal, a time-out or a dead container is a result; only cancellation throws.</summary>
public interface IHealthProbe
{
    Task<ProbeResult> ProbeAsync(CancellationToken cancellationToken);
}
