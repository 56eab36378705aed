using Orchestrator.Backups.Pipeline;

namespace Orchestrator.Backups.Keeping;

/// <summary>Carries what is stored from one store to another as it is: nothing is decrypted for it.</summary>
public static class ObjectCopy
{
    /// <returns>Null when the other store has published it, byte for byte what the manifest says.</returns>
    public static async Task<StoreFailure?> CopyAsync(BackupObject item, IBackupStore from, IBackupStore to, CancellationToken cancellationToken)
    {
        try
        {
            await using var source = await from.OpenAsync(item.Key, 0, cancellationToken);
            await using var measured = new MeasuredStream(source);
            await using var pending = await to.CreateAsync(item.Key, cancellationToken);
            await measured.CopyToAsync(pending.Content, cancellationToken);
            if (measured.Bytes != item.StoredBytes || measured.Hash() != item.StoredHash)
                return new StoreFailure(from.Name, item.Key, "is not what was written, and was not copied on");

            await pending.PublishAsync(cancellationToken);
            return null;
        }
        catch (Exception failure) when (failure is BackupStoreException or IOException)
        {
            return new StoreFailure(to.Name, item.Key, failure.Message);
        }
    }
}
