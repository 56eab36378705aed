namespace Orchestrator.Backups.Redis.Streams;

/// <summary>A service whose stream is received.</summary>
/// <param name="FindAsync">As it runs now, since its container and address change with deployments; null: it does not run.</param>
public sealed record StreamedService(string Stack, string Service, Func<CancellationToken, Task<BackupSubject?>> FindAsync)
{
    /// <summary>Removes an object of the stream, by its key, from every store; already gone is success. Null: small slices are not merged.</summary>
    public Func<string, CancellationToken, Task>? DeleteAsync { get; init; }
}
