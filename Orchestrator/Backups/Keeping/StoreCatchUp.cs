using System.Collections.Immutable;
using Microsoft.Extensions.Logging;
using Orchestrator.Backups.Pipeline;

namespace Orchestrator.Backups.Keeping;

/// <summary>What was carried over to stores that had missed it, and what could not be.</summary>
/// <param name="Sets">Set and store: it counts there now.</param>
/// <param name="Objects">Objects that were copied, of sets and of streams.</param>
public sealed record CatchUpReport(ImmutableArray<(BackupSetId Set, string Store)> Sets, int Objects, long Bytes, ImmutableArray<StoreFailure> Failures);

/// <summary>
/// Brings stores that were away, or lost something, to what the others have. Nothing is decrypted for it: sets are held against the hashes of their manifest,
/// objects of streams against their size in the store that they come from. A store that fails is left alone until the next time.
/// </summary>
public sealed partial class StoreCatchUp(BackupRepository repository)
{
    private readonly List<(BackupSetId Set, string Store)> _sets = [];
    private readonly List<StoreFailure> _failures = [];
    private readonly HashSet<string> _away = [];
    private int _objects;
    private long _bytes;

    /// <summary>Said in the stack's turn.</summary>
    /// <param name="catalogue">What the stores have now.</param>
    /// <param name="doubted">True: the set is said to be damaged in the store, so each of its objects there is read back, and replaced where it is.</param>
    public async Task<CatchUpReport> RunAsync(SetCatalogue catalogue, Func<BackupSetId, string, bool> doubted, CancellationToken cancellationToken)
    {
        foreach (var set in catalogue.Sets.Reverse())
        {
            foreach (var store in repository.Stores.Where(store => !_away.Contains(store.Name)))
            {
                if (!set.Stores.Contains(store.Name) || doubted(set.Manifest.Id, store.Name)) await SetAsync(set, store, cancellationToken);
            }
        }

        await StreamsAsync(cancellationToken);
        if (_objects > 0) LogCaughtUp(repository.Log, repository.Stack, _objects, _bytes);
        return new([.. _sets], _objects, _bytes, [.. _failures]);
    }

    private async Task SetAsync(KeptSet set, IBackupStore store, CancellationToken cancellationToken)
    {
        foreach (var item in set.Objects)
        {
            if (await StoredObjectCheck.ReadBackAsync(store, item, cancellationToken) is null) continue;
            if (!await CopyAsync(item, [.. set.Stores.Where(name => name != store.Name)], store, cancellationToken)) return;
        }

        if (await SetKeeper.PublishIntoAsync(set.Manifest, store, cancellationToken) is { } failure) Fail(failure);
        else _sets.Add((set.Manifest.Id, store.Name));
    }

    /// <returns>False: no other store gave it, or this one did not take it.</returns>
    private async Task<bool> CopyAsync(BackupObject item, ImmutableArray<string> holders, IBackupStore to, CancellationToken cancellationToken)
    {
        StoreFailure? failure = null;
        foreach (var from in repository.Stores.Where(store => holders.Contains(store.Name)))
        {
            failure = await ObjectCopy.CopyAsync(item, from, to, cancellationToken);
            if (failure is not null) continue;

            Count(item.StoredBytes);
            return true;
        }

        Fail(failure ?? new(to.Name, item.Key, "no other store has it"));
        return false;
    }

    private async Task StreamsAsync(CancellationToken cancellationToken)
    {
        var listed = new List<(IBackupStore Store, Dictionary<string, long> Held)>();
        foreach (var store in repository.Stores.Where(store => !_away.Contains(store.Name)))
        {
            if (await ListAsync(store, cancellationToken) is { } held) listed.Add((store, held));
        }

        var all = listed.SelectMany(entry => entry.Held).GroupBy(item => item.Key, StringComparer.Ordinal).OrderBy(group => group.Key, StringComparer.Ordinal).ToList();
        foreach (var (store, held) in listed)
        {
            foreach (var item in all.Where(item => !held.ContainsKey(item.Key)))
            {
                if (_away.Contains(store.Name)) break;
                var from = listed.First(entry => entry.Held.ContainsKey(item.Key));
                if (await ObjectCopy.CopyAsync(item.Key, from.Held[item.Key], from.Store, store, cancellationToken) is { } failure) Fail(failure);
                else Count(from.Held[item.Key]);
            }
        }
    }

    private async Task<Dictionary<string, long>?> ListAsync(IBackupStore store, CancellationToken cancellationToken)
    {
        var held = new Dictionary<string, long>(StringComparer.Ordinal);
        try
        {
            await foreach (var item in store.ListAsync(BackupLayout.Streams(repository.Stack), cancellationToken)) held[item.Key] = item.Bytes;
            return held;
        }
        catch (BackupStoreException failure)
        {
            Fail(new(store.Name, BackupLayout.Streams(repository.Stack), failure.Message));
            return null;
        }
    }

    private void Count(long bytes)
    {
        _objects++;
        _bytes += bytes;
    }

    private void Fail(StoreFailure failure)
    {
        _failures.Add(failure);
        _away.Add(failure.Store);
    }

    [LoggerMessage(EventId = 5022, Level = LogLevel.Information, Message = "Backups of {Stack}: {Objects} objects ({Bytes} bytes) were copied to stores that had missed them")]
    private static partial void LogCaughtUp(ILogger logger, string stack, int objects, long bytes);
}
