using System.Text.Json;
using static Orchestrator.Agent.Webhooks.WebhookReading;

namespace Orchestrator.Agent.Webhooks.Senders;

/// <summary>Notifications of the distribution registry: the last push of a tag in the batch counts.</summary>
internal static class RegistryEvents
{
    public static WebhookReading Read(JsonElement body)
    {
        if (body.At("events") is not { ValueKind: JsonValueKind.Array } events) return new Malformed("notification without events");

        var pushed = events.EnumerateArray()
            .Where(item => item.Text("action") == "push" && item.Text("target", "tag") is not null && item.Text("target", "repository") is not null)
            .Select(item => new Event { Repository = item.Text("target", "repository"), Tag = item.Text("target", "tag") })
            .LastOrDefault();
        return pushed is null ? new Ignored("no tag was pushed") : pushed;
    }
}
