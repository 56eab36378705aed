using System.Collections.Immutable;
using Microsoft.Extensions.Logging;
using Orchestrator.Backups.Pipeline;

namespace Orchestrator.Backups.Keeping;

/// <summary>
/// Takes away what sets left that were never published, or whose removal broke off. Touches nothing that a manifest of any store refers to, nothing of a set
/// that has a manifest anywhere, and nothing of a set that may still be made.
/// </summary>
public sealed partial class OrphanSweep(BackupRepository repository)
{
    /// <summary>Said in the stack's turn.</summary>
    /// <param name="catalogue">What the stores have now. Where it is incomplete nothing is removed.</param>
    /// <param name="over">True: nobody makes the set any more.</param>
    /// <returns>How many objects went, and what could not be removed.</returns>
    public async Task<(int Removed, ImmutableArray<StoreFailure> Failures)> RunAsync(SetCatalogue catalogue, Func<BackupSetId, bool> over, CancellationToken cancellationToken)
    {
        if (catalogue.Incomplete) return (0, catalogue.Failures);

        var needed = catalogue.Sets.SelectMany(set => set.Objects).Select(item => item.Key).ToHashSet(StringComparer.Ordinal);
        var published = catalogue.Sets.Select(set => set.Manifest.Id).ToHashSet();
        var removed = 0;
        var failures = ImmutableArray.CreateBuilder<StoreFailure>();
        foreach (var store in repository.Stores)
        {
            try
            {
                var orphans = new List<string>();
                await foreach (var item in store.ListAsync(BackupLayout.Sets(repository.Stack), cancellationToken))
                {
                    if (IsOrphan(item.Key, needed, published, over)) orphans.Add(item.Key);
                }

                foreach (var key in orphans) await store.DeleteAsync(key, cancellationToken);
                removed += orphans.Count;
                if (orphans.Count > 0) LogSwept(repository.Log, repository.Stack, store.Name, orphans.Count, orphans[0]);
            }
            catch (BackupStoreException failure)
            {
                failures.Add(new(store.Name, BackupLayout.Sets(repository.Stack), failure.Message));
            }
        }

        return (removed, failures.ToImmutable());
    }

    private bool IsOrphan(string key, HashSet<string> needed, HashSet<BackupSetId> published, Func<BackupSetId, bool> over)
    {
        var id = new BackupSetId(key[BackupLayout.Sets(repository.Stack).Length..].Split('/')[0]);
        return id.Sequence > 0 && !published.Contains(id) && !needed.Contains(key) && over(id);
    }

    [LoggerMessage(EventId = 5023, Level = LogLevel.Information, Message = "Backups of {Stack}: {Count} objects of sets that were never published were removed from {Store}, such as {Key}")]
    private static partial void LogSwept(ILogger logger, string stack, string store, int count, string key);
}
