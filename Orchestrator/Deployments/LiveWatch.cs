namespace Orchestrator.Deployments;

/// <summary>What looks after live replicas besides the engine's events: their probes, the networks they are on, and the comparison of routes with the engine.</summary>
public sealed class LiveWatch(LiveProbes probes, NetworkWatch networks, RouteReconciler reconciler) : IAsyncDisposable
{
    public void Start()
    {
        probes.Start();
        networks.Start();
        reconciler.Start();
    }

    public async ValueTask DisposeAsync()
    {
        await reconciler.DisposeAsync();
        await networks.DisposeAsync();
        await probes.DisposeAsync();
    }
}
