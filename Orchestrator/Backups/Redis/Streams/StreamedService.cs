namespace Orchestrator.Backups.Redis.Streams;

/// <summary>A service whose stream is received.</summary>
/// <param name="FindAsync">As it runs now, since its container and address change with deployments; null: it does not run.</param>
public sealed record StreamedService(string Stack, string Service, Func<CancellationToken, Task<BackupSubject?>> FindAsync);
