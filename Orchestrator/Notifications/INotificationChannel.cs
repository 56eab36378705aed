namespace Orchestrator.Notifications;

/// <summary>A way to tell somebody something.</summary>
public interface INotificationChannel
{
    /// <summary>For the log.</summary>
    string Name { get; }

    /// <summary>Whether it wants to hear of this.</summary>
    bool Wants(Notification notification);

    /// <summary>Tells it, with its own retries. Null when it was taken; else what was answered.</summary>
    Task<string?> SendAsync(Notification notification, CancellationToken cancellationToken);
}
