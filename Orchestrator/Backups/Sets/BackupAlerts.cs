using System.Collections.Immutable;
using Microsoft.Extensions.Logging;
using Orchestrator.Telemetry;

namespace Orchestrator.Backups.Sets;

/// <summary>Something about backups that somebody should know.</summary>
/// <param name="Event"><c>backup.failed</c>, <c>backup.missing</c>, <c>backup.changed</c>, <c>drill.failed</c>, <c>stream.gap</c>, <c>stream.trouble</c>, <c>key.failed</c>, <c>disk.filling</c>.</param>
/// <param name="Stack">Empty: all.</param>
/// <param name="Subject">The set, drill, restore or service that it is about.</param>
public sealed record BackupAlert(string Event, string Stack, string Subject, string Problem, string? Hint, DateTimeOffset At)
{
    /// <summary>All that <see cref="Event"/> may be.</summary>
    public static ImmutableArray<string> Events { get; } = ["backup.failed", "backup.missing", "backup.changed", "drill.failed", "stream.gap", "stream.trouble", "key.failed", "disk.filling"];
}

/// <summary>Tells whoever listens; each alert is logged here, once.</summary>
public sealed partial class BackupAlerts(TimeProvider time, ILogger<BackupAlerts> logger)
{
    /// <summary>Must not throw.</summary>
    public event Action<BackupAlert>? Raised;

    public void Raise(string what, string stack, string subject, string problem, string? hint)
    {
        BackupMetrics.Alerted(stack, what);
        LogRaised(what, stack, subject, problem, hint);
        Raised?.Invoke(new(what, stack, subject, problem, hint, time.GetUtcNow()));
    }

    [LoggerMessage(EventId = 5510, Level = LogLevel.Error, Message = "{Event}: {Stack}, {Subject}: {Problem} ({Hint})")]
    private partial void LogRaised(string @event, string stack, string subject, string problem, string? hint);
}
