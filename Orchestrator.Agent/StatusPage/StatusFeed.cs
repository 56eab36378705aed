using System.Collections.Immutable;
using Orchestrator.Deployments;
using Orchestrator.Journal;

namespace Orchestrator.Agent.StatusPage;

/// <summary>All that the status page asks of the rest.</summary>
/// <param name="Deployments">Of one stack, newest first.</param>
/// <param name="Releases">Of one stack, newest first.</param>
/// <param name="Watch">Everything that happens in any deployment, from now on.</param>
internal sealed record StatusFeed(
    Func<CancellationToken, Task<ImmutableArray<StackStatus>>> Stacks,
    Func<string, CancellationToken, Task<ImmutableArray<Deployment>>> Deployments,
    Func<string, CancellationToken, Task<ImmutableArray<Release>>> Releases,
    Func<CancellationToken, IAsyncEnumerable<DeploymentEvent>> Watch)
{
    private const int Recent = 10;

    /// <summary>Of one stack; null: nothing of it is backed up.</summary>
    public Func<string, CancellationToken, Task<BackupBoard?>> Backups { get; init; } = (_, _) => Task.FromResult<BackupBoard?>(null);

    public static StatusFeed Of(DeploymentService deployments, IJournal journal) => new(
        deployments.StatusAsync,
        (stack, cancellationToken) => journal.ListDeploymentsAsync(stack, Recent, cancellationToken),
        journal.ListReleasesAsync,
        deployments.WatchAllAsync);
}
