namespace Orchestrator.Backups.Sets;

/// <summary>Every kind of data that this daemon can copy.</summary>
public sealed class BackupSources(IEnumerable<IBackupSource> sources)
{
    private readonly Dictionary<string, IBackupSource> _byKind = sources.ToDictionary(source => source.Kind, StringComparer.Ordinal);

    /// <exception cref="BackupFailedException">There is none for it: the set was made by a newer version.</exception>
    public IBackupSource Of(string kind) => _byKind.GetValueOrDefault(kind)
        ?? throw new BackupFailedException($"This version does not know the kind of data '{kind}'", "Use the version that made the set, or a newer one.");

    public bool Knows(string kind) => _byKind.ContainsKey(kind);
}
