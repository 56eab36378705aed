using System.Security.Cryptography;
using System.Text;

namespace Orchestrator.Agent.Webhooks;

/// <summary>
/// What makes a delivery the same as another. The id that a sender gives is not always signed: whoever has overheard a delivery could send it
/// again under another id, so what is signed counts as well.
/// </summary>
/// <param name="Id">The sender's id; without one, the hash of the body.</param>
/// <param name="Signed">The hash of the signature; null where nothing is signed: the same body may then come again for good reason.</param>
internal sealed record DeliveryKeys(string Id, string? Signed)
{
    private const int LongestId = 100;

    private static readonly string[] IdHeaders =
        ["X-BasMalin-Delivery", "X-Forgejo-Delivery", "X-Gitea-Delivery", "X-GitHub-Delivery", "webhook-id", "X-Gitlab-Event-UUID"];

    private static readonly string[] SignatureHeaders =
        ["X-BasMalin-Signature", "X-Forgejo-Signature", "X-Gitea-Signature", "X-Hub-Signature-256", "webhook-signature"];

    public static DeliveryKeys Of(WebhookSender sender, WebhookDelivery delivery)
    {
        var id = IdHeaders.Select(delivery.Header).FirstOrDefault(value => value is { Length: > 0 and <= LongestId });
        var signature = sender == WebhookSender.Registry ? null : SignatureHeaders.Select(delivery.Header).FirstOrDefault(value => value is not null);
        return new DeliveryKeys(
            id is not null ? $"id:{id}" : $"body:{Convert.ToHexStringLower(SHA256.HashData(delivery.Body.Span))}",
            signature is null ? null : $"signed:{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(signature)))}");
    }
}
