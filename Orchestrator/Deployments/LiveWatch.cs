namespace Orchestrator.Deployments;

/// <summary>What looks after live replicas besides the engine's events: their probes, and the comparison of routes with the engine.</summary>
public sealed class LiveWatch(LiveProbes probes, RouteReconciler reconciler) : IAsyncDisposable
{
    public void Start()
    {
        probes.Start();
        reconciler.Start();
    }

    public async ValueTask DisposeAsync()
    {
        await reconciler.DisposeAsync();
        await probes.DisposeAsync();
    }
}
