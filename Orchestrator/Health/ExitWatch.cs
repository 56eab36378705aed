using Orchestrator.Docker;

namespace Orchestrator.Health;

/// <summary>Sees that a container has ended or was restarted by the engine.</summary>
/// <param name="restartsBefore">The restart count that does not count: 0 for a container that was just created.</param>
public sealed class ExitWatch(IContainerEngine engine, ContainerId id, int restartsBefore)
{
    /// <returns>Null while it runs, or has not been started.</returns>
    public async Task<ContainerExit?> ObserveAsync(CancellationToken cancellationToken) =>
        Judge(await engine.InspectAsync(id, cancellationToken), restartsBefore);

    internal static ContainerExit? Judge(ObservedContainer? container, int restartsBefore)
    {
        if (container is null) return new ContainerExit(null, false, 0, Gone: true);

        var restarts = Math.Max(0, container.RestartCount - restartsBefore);
        var ended = container.State is ContainerState.Exited or ContainerState.Dead or ContainerState.Restarting or ContainerState.Removing;
        return ended || restarts > 0 ? new ContainerExit(container.ExitCode, container.OomKilled, restarts, Gone: false) : null;
    }
}
