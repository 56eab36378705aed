namespace Orchestrator.Backups;

/// <summary>A backup or a restore that could not be made whole. The message says what was seen, <see cref="Hint"/> what to do.</summary>
public sealed class BackupFailedException(string message, string hint, Exception? inner = null) : Exception(message, inner)
{
    public string Hint { get; } = hint;
}
