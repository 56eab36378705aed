namespace Orchestrator.Backups.Pipeline;

/// <summary>Where a source puts what it copies: each stream is compressed, encrypted, hashed and sent to all stores at once, with bounded memory.</summary>
public abstract class BackupWriter
{
    /// <summary>Writes one object of the present set, or of a continuous stream beside the sets.</summary>
    /// <param name="name">Relative name, such as <c>postgres/base.tar</c>; the endings of compression and encryption are added.</param>
    /// <param name="content">Writes the content forwards into the stream that it is given. What it throws discards the object everywhere.</param>
    /// <returns>The object, published in at least one store; stores that failed are told to the set's keeper.</returns>
    public abstract Task<BackupObject> WriteAsync(string name, Func<Stream, CancellationToken, Task> content, CancellationToken cancellationToken);

    /// <summary>Whether an object with this name and plain hash is whole in every store already, so that unchanged content is not copied again.</summary>
    public abstract Task<BackupObject?> FindAsync(string name, string plainHash, CancellationToken cancellationToken);

    /// <summary>Progress for whoever watches: plain bytes so far, and of how many if that is known.</summary>
    public abstract void Report(string what, long bytes, long? of);
}
