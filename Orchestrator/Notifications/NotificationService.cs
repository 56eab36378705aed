using System.Collections.Immutable;
using System.Threading.Channels;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Orchestrator.Notifications;

/// <summary>Tells the channels what has happened. Never in a deployment's way: what is to be told waits in a queue, and a slow channel holds up no other.</summary>
public sealed partial class NotificationService : BackgroundService
{
    private const int Waiting = 256;
    private readonly ImmutableArray<(INotificationChannel Channel, Channel<Notification> Queue)> _outboxes;
    private readonly NewsFeed _feed;
    private readonly ILogger<NotificationService> _logger;

    public NotificationService(ImmutableArray<INotificationChannel> channels, NewsFeed feed, ILogger<NotificationService> logger)
    {
        // The oldest goes when a receiver is down for long: what ended last is what matters.
        _outboxes = [.. channels.Select(channel => (channel, Channel.CreateBounded<Notification>(
            new BoundedChannelOptions(Waiting) { FullMode = BoundedChannelFullMode.DropOldest, SingleReader = true },
            dropped => LogDropped(channel.Name, dropped))))];
        _feed = feed;
        _logger = logger;
        _feed.Told += Tell;
    }

    public override void Dispose()
    {
        _feed.Told -= Tell;
        base.Dispose();
    }

    protected override Task ExecuteAsync(CancellationToken stoppingToken) => Task.WhenAll(_outboxes.Select(outbox => DeliverAsync(outbox.Channel, outbox.Queue.Reader, stoppingToken)));

    private void Tell(Notification notification)
    {
        foreach (var (channel, queue) in _outboxes)
        {
            if (channel.Wants(notification)) queue.Writer.TryWrite(notification);
        }
    }

    private async Task DeliverAsync(INotificationChannel channel, ChannelReader<Notification> queue, CancellationToken stoppingToken)
    {
        try
        {
            await foreach (var notification in queue.ReadAllAsync(stoppingToken))
            {
                if (await channel.SendAsync(notification, stoppingToken) is { } problem) LogNotDelivered(channel.Name, notification, problem);
                else LogDelivered(channel.Name, notification);
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // Not told: the receiver can ask the API; nothing is kept over a restart.
        }
    }

    [LoggerMessage(EventId = 9101, Level = LogLevel.Information, Message = "Told {Channel} of {News}")]
    private partial void LogDelivered(string channel, Notification news);

    [LoggerMessage(EventId = 9102, Level = LogLevel.Warning, Message = "Could not tell {Channel} of {News}: {Problem}")]
    private partial void LogNotDelivered(string channel, Notification news, string problem);

    [LoggerMessage(EventId = 9103, Level = LogLevel.Warning, Message = "{Channel} is too slow: {News} is not told any more")]
    private partial void LogDropped(string channel, Notification news);
}
