using System.Collections.Immutable;
using Orchestrator.Notifications;
using Orchestrator.Resilience;

namespace Orchestrator.Agent.Hosting;

/// <summary>Makes the channels that <c>notify:</c> asks for.</summary>
internal static class NotificationChannels
{
    /// <exception cref="DaemonStartException">A secret cannot be read.</exception>
    public static ImmutableArray<INotificationChannel> Create(ImmutableArray<NotifyOptions> options, HttpClient http, Pipelines pipelines, TimeProvider time) =>
        [.. options.Select(one => new WebhookChannel(one.Url, Secret(one.SecretFile), new Subscription(one.Stacks, one.Events), http, pipelines, time))];

    private static string? Secret(string? file)
    {
        if (file is null) return null;

        try
        {
            return File.ReadAllText(file).TrimEnd('\r', '\n');
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new DaemonStartException($"The secret of a notification cannot be read: {exception.Message}", exception);
        }
    }
}
