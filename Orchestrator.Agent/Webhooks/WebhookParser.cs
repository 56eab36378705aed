using System.Text.Json;
using Orchestrator.Agent.Webhooks.Senders;

namespace Orchestrator.Agent.Webhooks;

/// <summary>Makes sense of a body whose signature was good.</summary>
public static class WebhookParser
{
    public static WebhookReading Parse(WebhookSender sender, WebhookDelivery delivery)
    {
        if (!IsJson(delivery.Header("Content-Type")))
            return new WebhookReading.Malformed("the content type must be application/json (GitHub and Gitea: choose it in the webhook's settings)");

        try
        {
            using var document = JsonDocument.Parse(delivery.Body, new JsonDocumentOptions { MaxDepth = 32 });
            if (document.RootElement.ValueKind != JsonValueKind.Object) return new WebhookReading.Malformed("the body must be a JSON object");

            return Read(sender, delivery, document.RootElement);
        }
        catch (JsonException exception)
        {
            return new WebhookReading.Malformed($"the body is not JSON: line {exception.LineNumber + 1}");
        }
    }

    private static WebhookReading Read(WebhookSender sender, WebhookDelivery delivery, JsonElement body) => sender switch
    {
        WebhookSender.GitHub => GitHubEvents.Read(delivery.Header("X-GitHub-Event"), body),
        WebhookSender.Gitea => GitHubEvents.Read(delivery.Header("X-Forgejo-Event") ?? delivery.Header("X-Gitea-Event"), body),
        WebhookSender.GitLab => GitLabEvents.Read(delivery.Header("X-Gitlab-Event"), body),
        WebhookSender.Registry => RegistryEvents.Read(body),
        _ => GenericEvents.Read(body),
    };

    private static bool IsJson(string? contentType)
    {
        var type = contentType?.Split(';')[0].Trim();
        return type is not null
            && (type.Equals("application/json", StringComparison.OrdinalIgnoreCase) || type.EndsWith("+json", StringComparison.OrdinalIgnoreCase));
    }
}
