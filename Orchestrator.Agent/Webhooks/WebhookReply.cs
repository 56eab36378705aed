using System.Text.Json.Serialization;

namespace Orchestrator.Agent.Webhooks;

/// <summary>What a sender is answered.</summary>
/// <param name="Outcome">accepted, duplicate, ignored or refused.</param>
/// <param name="Deployment">Its number; null: none was made.</param>
/// <param name="Reason">Why it was ignored or refused.</param>
public sealed record WebhookReply([property: JsonIgnore] int Status, string Outcome, long? Deployment, string? Reason)
{
    public static WebhookReply Accepted(long deployment) => new(StatusCodes.Status202Accepted, "accepted", deployment, null);

    public static WebhookReply Duplicate(long? deployment) => new(StatusCodes.Status202Accepted, "duplicate", deployment, "this delivery has been seen before");

    public static WebhookReply Ignored(string reason) => new(StatusCodes.Status202Accepted, "ignored", null, reason);

    public static WebhookReply Malformed(string reason) => new(StatusCodes.Status400BadRequest, "refused", null, reason);

    public static WebhookReply TooLarge(long limit) => new(StatusCodes.Status413PayloadTooLarge, "refused", null, $"the body has more than {limit} bytes");

    /// <summary>The same for a wrong signature, a missing one, an unknown stack and one without a webhook: a stranger learns nothing.</summary>
    public static WebhookReply Unauthorized() => new(StatusCodes.Status401Unauthorized, "refused", null, "the signature is missing, wrong or too old");

    public static WebhookReply Unavailable() => new(StatusCodes.Status503ServiceUnavailable, "refused", null, "the delivery could not be written down; send it again");
}
