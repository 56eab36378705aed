using System.Collections.Immutable;
using Orchestrator.Access;
using Orchestrator.Agent.Api;
using Orchestrator.Deployments;
using Orchestrator.Secrets;

namespace Orchestrator.Agent.Webhooks;

/// <summary>
/// The way of a delivery: signature, sense, repeat, image, deployment. What is answered to a bad signature does not depend on whether the
/// stack exists, nor does the time that it takes.
/// </summary>
internal sealed partial class WebhookReceiver(
    SecretStore secrets,
    WebhookSettingsStore settings,
    DeliveryLog deliveries,
    DeploymentService deployments,
    AuditTrail audit,
    TimeProvider time,
    ILogger<WebhookReceiver> logger)
{
    /// <summary>Checked against when there is no secret: nobody can know it.</summary>
    private readonly string _nobodys = WebhookSecret.Create();

    public async Task<WebhookReply> ReceiveAsync(string stack, WebhookDelivery delivery, CancellationToken cancellationToken)
    {
        var sender = delivery.Sender ?? WebhookSender.Registry;
        var check = Check(sender, delivery, await secrets.WebhookAsync(stack, cancellationToken));
        if (check != SignatureCheck.Valid)
        {
            LogRefused(sender, check);
            return WebhookReply.Unauthorized();
        }

        var origin = $"webhook:{Words.Of(sender).ToLowerInvariant()}";
        var reading = WebhookParser.Parse(sender, delivery);
        if (reading is WebhookReading.Event happened) reading = ImageTemplates.Apply(await settings.FindAsync(stack, cancellationToken), happened);
        switch (reading)
        {
            case WebhookReading.Malformed { Detail: var detail }:
                LogMalformed(stack, origin, detail);
                return WebhookReply.Malformed(detail);
            case WebhookReading.Ignored { Reason: var reason }:
                LogIgnored(stack, origin, reason);
                return WebhookReply.Ignored(reason);
            default:
                return await DeployAsync(stack, origin, DeliveryKeys.Of(sender, delivery), (WebhookReading.Event)reading, cancellationToken);
        }
    }

    private async Task<WebhookReply> DeployAsync(string stack, string origin, DeliveryKeys keys, WebhookReading.Event happened, CancellationToken cancellationToken)
    {
        if (keys.Signed is { } overheard && await deliveries.ContainsAsync(stack, overheard, cancellationToken))
        {
            LogDuplicate(stack, origin);
            return WebhookReply.Duplicate(null);
        }

        // Noted after it is queued: should the daemon die in between, the repeat finds its deployment by the key that the journal has.
        var admission = await deployments.SubmitAsync(
            new DeploymentRequest
            {
                Stack = stack,
                Kind = DeploymentKind.Deploy,
                Images = happened.Images,
                Version = happened.Version ?? happened.Tag,
                Commit = happened.Commit,
                Origin = origin,
            },
            $"{origin}:{keys.Id}",
            cancellationToken);
        if (keys.Signed is { } signed) await deliveries.TryAddAsync(stack, signed, time.GetUtcNow(), cancellationToken);
        if (admission.Known)
        {
            LogDuplicate(stack, origin);
            return WebhookReply.Duplicate(admission.Deployment.Id.Value);
        }

        await audit.WriteAsync(
            origin,
            $"deploy: deployment {admission.Deployment.Id}: {string.Join(", ", happened.Images.Select(image => $"{image.Key}={image.Value}"))}",
            stack,
            cancellationToken);
        return WebhookReply.Accepted(admission.Deployment.Id.Value);
    }

    /// <summary>While a secret is changed for another, two are good. Always two are tried, so that the time does not say how many there are.</summary>
    private SignatureCheck Check(WebhookSender sender, WebhookDelivery delivery, ImmutableArray<Secret> known)
    {
        var now = time.GetUtcNow();
        var newest = WebhookSignature.Check(sender, delivery, known.Length > 0 ? known[0].Reveal() : _nobodys, now);
        var older = WebhookSignature.Check(sender, delivery, known.Length > 1 ? known[1].Reveal() : _nobodys, now);
        return newest == SignatureCheck.Wrong ? older : newest;
    }

    [LoggerMessage(EventId = 8101, Level = LogLevel.Warning, Message = "A {Sender} webhook was refused: its signature is {Check}")]
    private partial void LogRefused(WebhookSender sender, SignatureCheck check);

    [LoggerMessage(EventId = 8102, Level = LogLevel.Warning, Message = "{Origin} of {Stack} makes no sense: {Detail}")]
    private partial void LogMalformed(string stack, string origin, string detail);

    [LoggerMessage(EventId = 8103, Level = LogLevel.Information, Message = "{Origin} of {Stack} is ignored: {Reason}")]
    private partial void LogIgnored(string stack, string origin, string reason);

    [LoggerMessage(EventId = 8104, Level = LogLevel.Information, Message = "{Origin} of {Stack} was delivered before")]
    private partial void LogDuplicate(string stack, string origin);
}
