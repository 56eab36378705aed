namespace Orchestrator.Backups.Pipeline;

/// <summary>Reads back what a <see cref="BackupWriter"/> wrote: fetched from the first store that has it whole, decrypted, decompressed, verified.</summary>
public abstract class BackupReader
{
    /// <summary>
    /// Hands the content to <paramref name="use"/>. When it returns, all of it has been read and its hash was the right one; otherwise it throws
    /// <see cref="BackupFailedException"/>, also for a truncated or changed object.
    /// </summary>
    public abstract Task ReadAsync(BackupObject stored, Func<Stream, CancellationToken, Task> use, CancellationToken cancellationToken);

    /// <summary>The same for an object of a continuous stream, whose hashes are in no manifest: truncation and change are found by the encryption.</summary>
    public abstract Task ReadAsync(string key, Func<Stream, CancellationToken, Task> use, CancellationToken cancellationToken);

    /// <summary>Keys of a continuous stream, by key, of all stores together.</summary>
    public abstract Task<IReadOnlyList<StoredObject>> ListAsync(string prefix, CancellationToken cancellationToken);
}
