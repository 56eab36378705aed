using System.Collections.Immutable;
using Microsoft.Extensions.Logging;
using Orchestrator.Backups.Pipeline;

namespace Orchestrator.Backups.Keeping;

/// <param name="Published">Names of the stores in which the set counts now.</param>
/// <param name="Failures">Why it does not in the others.</param>
public sealed record SetPublication(ImmutableArray<string> Published, ImmutableArray<StoreFailure> Failures);

/// <summary>Publishes sets, finds them again, and takes them away.</summary>
public sealed partial class SetKeeper(BackupRepository repository)
{
    /// <summary>
    /// Writes the manifest into each store that holds every object; where some are missing they are first copied there from a store that has them. Last
    /// of all, so a set whose manifest is there is whole. May be repeated.
    /// </summary>
    /// <param name="writer">The one that wrote the objects.</param>
    /// <exception cref="BackupFailedException">No store holds all of it; nothing was published.</exception>
    public async Task<SetPublication> PublishAsync(BackupManifest manifest, BackupWriter writer, CancellationToken cancellationToken)
    {
        var published = ImmutableArray.CreateBuilder<string>();
        var failures = ImmutableArray.CreateBuilder<StoreFailure>();
        foreach (var store in repository.Stores)
        {
            var failure = await CompleteAsync(manifest, writer, store, cancellationToken) ?? await PublishIntoAsync(manifest, store, cancellationToken);
            if (failure is null) published.Add(store.Name);
            else failures.Add(failure);
        }

        foreach (var failure in failures) LogNotPublished(repository.Log, manifest.Id.Value, failure.Store, failure.Key, failure.Message);
        return published.Count > 0
            ? new SetPublication(published.ToImmutable(), failures.ToImmutable())
            : throw new BackupFailedException(
                $"The set {manifest.Id} of {manifest.Stack} is whole in no store: {string.Join("; ", failures.Select(failure => $"{failure.Store}: {failure.Key}: {failure.Message}"))}.",
                "It does not count, and what was written of it is removed by the next sweep. Mend the stores and run the backup again.");
    }

    /// <summary>All sets that any store holds, from the stores alone: an empty machine finds them, too. In their order.</summary>
    public Task<SetCatalogue> ListAsync(CancellationToken cancellationToken) => SetCatalogue.ReadAsync(repository.Stack, repository.Stores, cancellationToken);

    /// <summary>
    /// Carries a plan out: in each store the manifest goes first, so that a set which is half removed is none; then those of its objects that no other
    /// set there refers to; then what the plan takes of the streams.
    /// </summary>
    /// <returns>What could not be removed; it is tried again with the next plan.</returns>
    public async Task<ImmutableArray<StoreFailure>> RemoveAsync(RetentionPlan plan, SetCatalogue catalogue, CancellationToken cancellationToken)
    {
        var gone = plan.Decisions.Where(decision => !decision.Kept).Select(decision => decision.Set).ToHashSet();
        var failures = ImmutableArray.CreateBuilder<StoreFailure>();
        foreach (var store in repository.Stores)
        {
            var held = catalogue.Sets.Where(set => set.Stores.Contains(store.Name)).ToList();
            var needed = held.Where(set => !gone.Contains(set.Manifest.Id)).SelectMany(set => set.Objects).Select(item => item.Key).ToHashSet(StringComparer.Ordinal);
            foreach (var set in held.Where(set => gone.Contains(set.Manifest.Id)))
            {
                var prefix = BackupLayout.Set(repository.Stack, set.Manifest.Id);
                string[] keys = [prefix + BackupLayout.Manifest, prefix + BackupLayout.ManifestHash, .. set.Objects.Select(item => item.Key).Where(key => !needed.Contains(key))];
                if (await DeleteAsync(store, keys, cancellationToken) is { } failure) failures.Add(failure);
                else LogRemoved(repository.Log, set.Manifest.Id.Value, store.Name);
            }

            if (await DeleteAsync(store, plan.StreamKeys, cancellationToken) is { } left) failures.Add(left);
        }

        return failures.ToImmutable();
    }

    /// <summary>Copies what is missing in a store from one that has it, checked against the manifest.</summary>
    private async Task<StoreFailure?> CompleteAsync(BackupManifest manifest, BackupWriter writer, IBackupStore store, CancellationToken cancellationToken)
    {
        foreach (var item in manifest.Parts.SelectMany(part => part.Objects))
        {
            var holders = writer.HoldersOf(item);
            if (holders.Contains(store.Name)) continue;

            var from = repository.Stores.FirstOrDefault(other => holders.Contains(other.Name));
            if (from is null) return new StoreFailure(store.Name, item.Key, "no store is known to hold it");
            if (!repository.Health.MayTry(store)) return new StoreFailure(store.Name, item.Key, "is missing, and the store has failed again and again");
            if (await ObjectCopy.CopyAsync(item, from, store, cancellationToken) is { } failure)
            {
                repository.Health.Note(store, well: false);
                return failure;
            }
        }

        return null;
    }

    /// <summary>Makes the set count in a store that has all of its objects.</summary>
    internal static async Task<StoreFailure?> PublishIntoAsync(BackupManifest manifest, IBackupStore store, CancellationToken cancellationToken)
    {
        var bytes = ManifestFile.Write(manifest);
        var prefix = BackupLayout.Set(manifest.Stack, manifest.Id);
        try
        {
            await ManifestFile.PutAsync(store, BackupLayout.StackMark(manifest.Stack), "There are backups of this stack here.\n"u8.ToArray(), cancellationToken);
            await ManifestFile.PutAsync(store, prefix + BackupLayout.ManifestHash, ManifestFile.HashLine(bytes), cancellationToken);
            await ManifestFile.PutAsync(store, prefix + BackupLayout.Manifest, bytes, cancellationToken);
            return null;
        }
        catch (Exception failure) when (failure is BackupStoreException or IOException)
        {
            return new StoreFailure(store.Name, prefix + BackupLayout.Manifest, failure.Message);
        }
    }

    private static async Task<StoreFailure?> DeleteAsync(IBackupStore store, IEnumerable<string> keys, CancellationToken cancellationToken)
    {
        foreach (var key in keys)
        {
            try
            {
                await store.DeleteAsync(key, cancellationToken);
            }
            catch (BackupStoreException failure)
            {
                return new StoreFailure(store.Name, key, failure.Message);
            }
        }

        return null;
    }

    [LoggerMessage(EventId = 5020, Level = LogLevel.Warning, Message = "Set {Set} does not count in store {Store}: {Key}: {Reason}")]
    private static partial void LogNotPublished(ILogger logger, string set, string store, string key, string reason);

    [LoggerMessage(EventId = 5021, Level = LogLevel.Information, Message = "Set {Set} was removed from store {Store}, as its retention says")]
    private static partial void LogRemoved(ILogger logger, string set, string store);
}
