namespace Orchestrator.Health;

/// <summary>Never healthy: the container has no address to ask at, because it has ended or was taken off its network.</summary>
public sealed class NowhereProbe(string container) : IHealthProbe
{
    public Task<ProbeResult> ProbeAsync(CancellationToken cancellationToken) =>
        Task.FromResult(new ProbeResult(false, $"{container} has no address on its network: it does not run, or was disconnected"));
}
