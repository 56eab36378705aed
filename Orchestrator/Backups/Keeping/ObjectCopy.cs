using Orchestrator.Backups.Pipeline;

namespace Orchestrator.Backups.Keeping;

/// <summary>Carries what is stored from one store to another as it is: nothing is decrypted for it.</summary>
public static class ObjectCopy
{
    /// <returns>Null when the other store has published it, byte for byte what the manifest says.</returns>
    public static Task<StoreFailure?> CopyAsync(BackupObject item, IBackupStore from, IBackupStore to, CancellationToken cancellationToken) =>
        CopyAsync(item.Key, from, to, measured => measured.Bytes == item.StoredBytes && measured.Hash() == item.StoredHash, cancellationToken);

    /// <summary>Of an object whose hash is in no manifest: as many bytes as the store says that it has. Its encryption tells later whether they are the right ones.</summary>
    public static Task<StoreFailure?> CopyAsync(string key, long bytes, IBackupStore from, IBackupStore to, CancellationToken cancellationToken) =>
        CopyAsync(key, from, to, measured => measured.Bytes == bytes, cancellationToken);

    private static async Task<StoreFailure?> CopyAsync(string key, IBackupStore from, IBackupStore to, Func<MeasuredStream, bool> isWhole, CancellationToken cancellationToken)
    {
        try
        {
            await using var source = await from.OpenAsync(key, 0, cancellationToken);
            await using var measured = new MeasuredStream(source);
            await using var pending = await to.CreateAsync(key, cancellationToken);
            await measured.CopyToAsync(pending.Content, cancellationToken);
            if (!isWhole(measured)) return new StoreFailure(from.Name, key, "is not what was written, and was not copied on");

            await pending.PublishAsync(measured.Hash(), cancellationToken);
            return null;
        }
        catch (BackupStoreException failure)
        {
            return new StoreFailure(failure.Store, key, failure.Message);
        }
        catch (IOException failure)
        {
            return new StoreFailure(to.Name, key, failure.Message);
        }
    }
}
