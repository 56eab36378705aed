namespace Orchestrator.Healing;

/// <summary>Somebody should look after a stack: it does not heal by itself.</summary>
/// <param name="Subject">The replica or volume that it is about.</param>
/// <param name="Reason">crashLoop, noEffect or volumeMissing.</param>
/// <param name="Detail">What was seen, with the last lines of the log.</param>
public sealed record HealingNews(string Stack, string Subject, string Reason, string Detail, string Hint, DateTimeOffset At)
{
    /// <summary>The event's name for whoever is notified.</summary>
    public const string GaveUp = "healing.gave_up";
}
