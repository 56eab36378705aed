using Microsoft.Extensions.Logging;

namespace Orchestrator.Healing;

/// <summary>Tells whoever listens that something is given up; logged here, once.</summary>
public sealed partial class HealingAlarm(TimeProvider time, ILogger<HealingAlarm> logger)
{
    /// <summary>Must not throw.</summary>
    public event Action<HealingNews>? Raised;

    public void Raise(string stack, Capitulation given, string detail)
    {
        LogGivenUp(stack, given.Subject, given.Reason, detail, given.Hint);
        Raised?.Invoke(new(stack, given.Subject, given.Reason, detail, given.Hint, time.GetUtcNow()));
    }

    [LoggerMessage(EventId = 4501, Level = LogLevel.Error, Message = "Stack {Stack}: {Subject} is given up ({Reason}): {Detail} {Hint}")]
    private partial void LogGivenUp(string stack, string subject, string reason, string detail, string hint);
}
