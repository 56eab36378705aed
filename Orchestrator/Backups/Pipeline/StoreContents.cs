using System.Collections.Immutable;

namespace Orchestrator.Backups.Pipeline;

/// <summary>What lies in each store, listed once: asking for each of a hundred thousand objects by itself would take longer than copying some of them.</summary>
internal sealed class StoreContents(string stack, ImmutableArray<IBackupStore> stores)
{
    private readonly Lock _gate = new();
    private Task<ImmutableDictionary<string, Dictionary<string, long>>>? _listing;

    /// <summary>Names of the stores that hold the object, as far as its size tells.</summary>
    public async Task<ImmutableHashSet<string>> HoldersAsync(BackupObject item, CancellationToken cancellationToken)
    {
        var bytes = await ListAsync(cancellationToken);
        return [.. bytes.Where(store => store.Value.GetValueOrDefault(item.Key, -1) == item.StoredBytes).Select(store => store.Key)];
    }

    private Task<ImmutableDictionary<string, Dictionary<string, long>>> ListAsync(CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            if (_listing is null or { IsCanceled: true } or { IsFaulted: true }) _listing = ListAllAsync(cancellationToken);
            return _listing;
        }
    }

    private async Task<ImmutableDictionary<string, Dictionary<string, long>>> ListAllAsync(CancellationToken cancellationToken)
    {
        var listed = await Task.WhenAll(stores.Select(async store => (store.Name, Found: await ListAsync(store, cancellationToken))));
        return listed.ToImmutableDictionary(store => store.Name, store => store.Found);
    }

    private async Task<Dictionary<string, long>> ListAsync(IBackupStore store, CancellationToken cancellationToken)
    {
        var found = new Dictionary<string, long>(StringComparer.Ordinal);
        try
        {
            await foreach (var item in store.ListAsync(BackupLayout.Sets(stack), cancellationToken)) found[item.Key] = item.Bytes;
        }
        catch (BackupStoreException)
        {
            found.Clear();      // holds nothing that could be relied on: everything is copied again, and the failure shows there
        }

        return found;
    }
}
