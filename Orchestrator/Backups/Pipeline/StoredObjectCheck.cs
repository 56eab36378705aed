namespace Orchestrator.Backups.Pipeline;

/// <summary>Whether a store still holds what was written, told from the stored bytes alone: no key is needed.</summary>
public static class StoredObjectCheck
{
    /// <summary>Reads the whole object back.</summary>
    /// <returns>Null when it is what was written, otherwise what is wrong.</returns>
    public static async Task<StoreFailure?> ReadBackAsync(IBackupStore store, BackupObject item, CancellationToken cancellationToken)
    {
        try
        {
            await using var stored = await store.OpenAsync(item.Key, 0, cancellationToken);
            await using var measured = new MeasuredStream(stored);
            var buffer = new byte[128 * 1024];
            while (await measured.ReadAsync(buffer, cancellationToken) > 0) cancellationToken.ThrowIfCancellationRequested();

            if (measured.Bytes != item.StoredBytes)
                return new StoreFailure(store.Name, item.Key, $"it has {measured.Bytes} bytes, and {item.StoredBytes} were written: {(measured.Bytes < item.StoredBytes ? "truncated" : "changed")}");
            return measured.Hash() == item.StoredHash ? null : new StoreFailure(store.Name, item.Key, "its hash is not the one of what was written: changed");
        }
        catch (Exception failure) when (failure is BackupStoreException or IOException)
        {
            return new StoreFailure(store.Name, item.Key, failure.Message);
        }
    }
}
