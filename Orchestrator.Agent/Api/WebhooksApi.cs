using System.Collections.Immutable;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Http.HttpResults;
using Orchestrator.Access;
using Orchestrator.Agent.Api.Contracts;
using Orchestrator.Agent.Auth;
using Orchestrator.Agent.Webhooks;

namespace Orchestrator.Agent.Api;

/// <summary><c>/stacks/{stack}/webhook</c>: how a stack takes webhooks; and the webhook itself on the admin listener.</summary>
internal static partial class WebhooksApi
{
    private const int LongestBranch = 250;

    public static void MapWebhookSettings(this RouteGroupBuilder api)
    {
        var webhook = api.MapGroup("/stacks/{stack}/webhook").WithTags("Webhooks").RequireScope(TokenScope.Admin);
        webhook.MapGet("/", async (string stack, WebhookDesk desk, CancellationToken cancellationToken) => TypedResults.Ok(await desk.ShowAsync(stack, cancellationToken)))
            .WithName("GetWebhook")
            .WithSummary("How a stack takes webhooks; without the secret.");
        webhook.MapPut("/", SetAsync).WithName("SetWebhook").WithSummary("Changes it. The first time, and with rotate, the answer has a new secret, which is not shown again.").Problems(400);
    }

    public static void MapWebhook(this IEndpointRouteBuilder routes) => routes
        .MapPost("/hooks/{stack}", (string stack, HttpContext context, WebhookEndpoint endpoint) => endpoint.AnswerAsync(context, stack))
        .OpenToAll()
        .WithTags("Webhooks")
        .WithName("ReceiveWebhook")
        .WithSummary("Deploys what a sender tells of, signed with the stack's secret: GitHub, GitLab, Gitea, Forgejo, a registry, or the generic form.")
        .Produces<WebhookReply>(StatusCodes.Status202Accepted)
        .Produces<WebhookReply>(StatusCodes.Status400BadRequest)
        .Produces<WebhookReply>(StatusCodes.Status401Unauthorized)
        .Produces<WebhookReply>(StatusCodes.Status413PayloadTooLarge);

    private static async Task<Results<Ok<WebhookResponse>, ProblemResult>> SetAsync(
        string stack,
        WebhookRequest request,
        HttpContext context,
        WebhookDesk desk,
        AuditTrail audit,
        CancellationToken cancellationToken)
    {
        if (!StackName().IsMatch(stack)) return Api.Problems.Invalid($"'{stack}' cannot be the name of a stack");
        if (request.Branch is { Length: > LongestBranch }) return Api.Problems.Invalid($"branch has more than {LongestBranch} characters");
        foreach (var (service, template) in request.Images ?? ImmutableSortedDictionary<string, string>.Empty)
        {
            if (ImageTemplates.Problem(template) is { } problem) return Api.Problems.Invalid($"images.{service}: {problem}");
        }

        var changed = await desk.ChangeAsync(stack, request, cancellationToken);
        await audit.WriteAsync(context, changed.Secret is null ? "webhook.set" : "webhook.set: new secret", stack, cancellationToken);
        return TypedResults.Ok(changed);
    }

    [GeneratedRegex(@"^[a-z0-9][a-z0-9_-]{0,39}\z")]
    private static partial Regex StackName();
}
