namespace Orchestrator.Backups.Postgres;

/// <summary>The service whose log is received.</summary>
/// <param name="Find">The service as it runs now; null: it does not. Containers come and go, and their addresses with them.</param>
public sealed record WalSubject(string Stack, string Service, Func<CancellationToken, Task<BackupSubject?>> Find)
{
    public override string ToString() => $"{Stack}/{Service}";
}
