using System.Collections.Immutable;
using Orchestrator.Backups.Pipeline;

namespace Orchestrator.Backups.Keeping;

/// <summary>A set, and the stores in which it counts.</summary>
public sealed record KeptSet(BackupManifest Manifest, ImmutableArray<string> Stores)
{
    public IEnumerable<BackupObject> Objects => Manifest.Parts.SelectMany(part => part.Objects);
}

/// <summary>What the stores hold of one stack.</summary>
/// <param name="Sets">In their order, the oldest first.</param>
/// <param name="Failures">Stores that could not be asked, and sets whose manifest cannot be used.</param>
public sealed record SetCatalogue(ImmutableArray<KeptSet> Sets, ImmutableArray<StoreFailure> Failures)
{
    /// <summary>True when a store did not answer in whole: nothing may be removed by such a list.</summary>
    public bool Incomplete => !Failures.IsEmpty;

    public static async Task<SetCatalogue> ReadAsync(string stack, ImmutableArray<IBackupStore> stores, CancellationToken cancellationToken)
    {
        var found = new SortedDictionary<string, KeptSet>(StringComparer.Ordinal);
        var failures = ImmutableArray.CreateBuilder<StoreFailure>();
        foreach (var store in stores) await AddAsync(stack, store, found, failures, cancellationToken);
        return new SetCatalogue([.. found.Values.OrderBy(set => set.Manifest.Id.Sequence)], failures.ToImmutable());
    }

    /// <summary>Names of the stacks of which a store holds sets.</summary>
    /// <exception cref="BackupStoreException">It cannot be asked.</exception>
    public static async Task<ImmutableArray<string>> StacksInAsync(IBackupStore store, CancellationToken cancellationToken)
    {
        var stacks = ImmutableArray.CreateBuilder<string>();
        await foreach (var mark in store.ListAsync(BackupLayout.Stacks, cancellationToken)) stacks.Add(mark.Key[BackupLayout.Stacks.Length..]);
        return stacks.ToImmutable();
    }

    private static async Task AddAsync(
        string stack, IBackupStore store, SortedDictionary<string, KeptSet> found, ImmutableArray<StoreFailure>.Builder failures, CancellationToken cancellationToken)
    {
        var prefix = BackupLayout.Sets(stack);
        var ids = new List<BackupSetId>();
        try
        {
            await foreach (var item in store.ListAsync(prefix, cancellationToken))
            {
                if (item.Key[prefix.Length..].Split('/') is [var id, BackupLayout.Manifest]) ids.Add(new BackupSetId(id));
            }
        }
        catch (BackupStoreException failure)
        {
            failures.Add(new StoreFailure(store.Name, prefix, failure.Message));
        }

        foreach (var id in ids)
        {
            try
            {
                var manifest = found.TryGetValue(id.Value, out var known) ? known.Manifest : null;
                var read = await ManifestFile.ReadAsync(store, stack, id, cancellationToken);
                if (manifest is not null && ManifestFile.HashOf(ManifestFile.Write(manifest)) != ManifestFile.HashOf(ManifestFile.Write(read)))
                    throw new BackupFailedException($"{store.Name}: the manifest of {id} is another than in {known?.Stores[0]}.", "Two daemons have written a set of this name. Restore from the store that you trust.");

                found[id.Value] = new KeptSet(manifest ?? read, [.. known?.Stores ?? [], store.Name]);
            }
            catch (Exception failure) when (failure is BackupFailedException or BackupStoreException)
            {
                failures.Add(new StoreFailure(store.Name, BackupLayout.Set(stack, id), failure.Message));
            }
        }
    }
}
