namespace Orchestrator.Backups;

/// <summary>
/// A place for backups: a directory, a bucket. Keys are relative paths of <c>[A-Za-z0-9._=@-]</c> and <c>/</c>, without <c>..</c>. Failures are
/// <see cref="BackupStoreException"/>s that say which store, which key, and what was seen.
/// </summary>
public interface IBackupStore
{
    /// <summary>As the settings call it; unique among the stores.</summary>
    string Name { get; }

    /// <summary>Begins an object. Nothing of it can be seen under its key before it is published; disposing without publishing discards it.</summary>
    Task<PendingObject> CreateAsync(string key, CancellationToken cancellationToken);

    /// <summary>Reads an object from <paramref name="offset"/> on.</summary>
    /// <exception cref="BackupStoreException">There is none, or it cannot be had.</exception>
    Task<Stream> OpenAsync(string key, long offset, CancellationToken cancellationToken);

    /// <returns>Null when there is none.</returns>
    Task<StoredObject?> FindAsync(string key, CancellationToken cancellationToken);

    /// <summary>Published objects whose key begins with the prefix, by key.</summary>
    IAsyncEnumerable<StoredObject> ListAsync(string prefix, CancellationToken cancellationToken);

    /// <summary>Already gone is success.</summary>
    Task DeleteAsync(string key, CancellationToken cancellationToken);

    /// <summary>Removes what was begun and never published, and is older than <paramref name="olderThan"/>.</summary>
    /// <returns>How many.</returns>
    Task<int> SweepAsync(TimeSpan olderThan, CancellationToken cancellationToken);
}

/// <summary>An object on its way into a store: written forwards, then published or discarded.</summary>
public abstract class PendingObject : IAsyncDisposable
{
    /// <summary>Write only, not seekable.</summary>
    public abstract Stream Content { get; }

    /// <summary>Makes it durable and visible under its key, whole or not at all, and verified against what was sent.</summary>
    /// <param name="hash">SHA-256 of all of it, lower-case hexadecimal, as the sender knows it: where all is read back, the way to the store is verified with it, too.</param>
    /// <exception cref="BackupStoreException">The store does not take it, or gives back something else.</exception>
    public abstract Task<StoredObject> PublishAsync(string hash, CancellationToken cancellationToken);

    public abstract ValueTask DisposeAsync();
}

/// <param name="ModifiedAt">As the store says; never used to decide an order.</param>
public sealed record StoredObject(string Key, long Bytes, DateTimeOffset ModifiedAt);

/// <summary>A store that refuses, cannot be reached, or does not hold what it said it holds.</summary>
public sealed class BackupStoreException(string store, string message, Exception? inner) : Exception($"{store}: {message}", inner)
{
    public string Store { get; } = store;
}
