using Orchestrator.Access;
using Orchestrator.Agent.Api.Contracts;
using Orchestrator.Agent.Webhooks;
using Orchestrator.Secrets;

namespace Orchestrator.Agent.Api;

/// <summary>Shows and changes how a stack takes webhooks.</summary>
internal sealed class WebhookDesk(SecretStore secrets, WebhookSettingsStore settings)
{
    public async Task<WebhookResponse> ShowAsync(string stack, CancellationToken cancellationToken)
    {
        var known = await secrets.WebhookAsync(stack, cancellationToken);
        var set = await settings.FindAsync(stack, cancellationToken);
        return new WebhookResponse(stack, $"/hooks/{stack}", known.Length > 0, known.Length > 1, set.Branch, set.Images, null);
    }

    public async Task<WebhookResponse> ChangeAsync(string stack, WebhookRequest request, CancellationToken cancellationToken)
    {
        var set = await settings.FindAsync(stack, cancellationToken);
        await settings.SaveAsync(
            stack,
            set with { Branch = request.Branch is null ? set.Branch : request.Branch.Length == 0 ? null : request.Branch, Images = request.Images ?? set.Images },
            cancellationToken);
        var secret = request.Rotate || (await secrets.WebhookAsync(stack, cancellationToken)).IsEmpty ? WebhookSecret.Create() : null;
        if (secret is not null) await secrets.SetWebhookAsync(stack, new Secret(secret), cancellationToken);
        if (request.Retire) await secrets.RetireWebhookAsync(stack, cancellationToken);
        return await ShowAsync(stack, cancellationToken) with { Secret = secret };
    }
}
