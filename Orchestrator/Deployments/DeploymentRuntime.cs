using Orchestrator.Journal;

namespace Orchestrator.Deployments;

/// <summary>Brings routes and unfinished deployments back at start, and lets go in an orderly way at stop.</summary>
public sealed class DeploymentRuntime(
    IJournal journal, RouteRestoration restoration, StackRoutesKeeper routes, DeploymentQueue queue, Housekeeping housekeeping, LiveWatch watch) : IAsyncDisposable
{
    /// <summary>Lays the routes of every stack; said before the edge listens, and again after the journal was repaired.</summary>
    public Task RestoreAsync(CancellationToken cancellationToken) => restoration.RestoreAsync(cancellationToken);

    /// <summary>Resumes, undoes or begins what the journal has unfinished, and begins to watch; said once the edge listens.</summary>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        routes.Watch();
        housekeeping.Start();
        watch.Start();
        await WakeAsync(cancellationToken);
    }

    /// <summary>Sees that unfinished deployments are worked off; none, while the journal is damaged.</summary>
    public async Task WakeAsync(CancellationToken cancellationToken)
    {
        if (journal.Health.Damage is not null) return;
        foreach (var stack in (await journal.UnfinishedAsync(cancellationToken)).Select(deployment => deployment.Request.Stack).Distinct()) queue.Wake(stack);
    }

    /// <summary>Suspends running deployments; the next start resumes them.</summary>
    public async ValueTask DisposeAsync()
    {
        await queue.DisposeAsync();
        await watch.DisposeAsync();
        await housekeeping.DisposeAsync();
        await routes.DisposeAsync();
    }
}
