using System.CommandLine;
using Orchestrator.Agent.Api.Contracts;
using Orchestrator.Agent.Cli.Output;

namespace Orchestrator.Agent.Cli.Verbs;

/// <summary><c>webhook</c>: shows how a stack takes webhooks, and changes it.</summary>
internal static class WebhookVerb
{
    private static readonly Argument<string> Stack = new("STACK") { Description = "The stack's name." };
    private static readonly Option<bool> Rotate = new("--rotate") { Description = "Make a new secret; the one before stays good until --retire." };
    private static readonly Option<bool> Retire = new("--retire") { Description = "End the validity of the secret before the present one." };
    private static readonly Option<string?> Branch = new("--branch") { Description = "Only this branch deploys; '' for every branch.", HelpName = "BRANCH" };

    private static readonly Option<string[]> Images = new("--image")
    {
        Description = "Which image belongs to an event, with {commit}, {short}, {tag} and {branch}; may be repeated.",
        HelpName = "SERVICE=TEMPLATE",
    };

    public static Command Create(CliHost host) => Invocation.Verb(
        host,
        "webhook",
        "Shows a stack's webhook; the first time its secret is made and shown.",
        command =>
        {
            command.Add(Stack);
            command.Add(Rotate);
            command.Add(Retire);
            command.Add(Branch);
            command.Add(Images);
        },
        RunAsync);

    private static async Task<int> RunAsync(Invocation call, CancellationToken cancellationToken)
    {
        var path = $"stacks/{Uri.EscapeDataString(call.Value(Stack))}/webhook";
        var images = ServiceImage.Parse(call.Value(Images) ?? []);
        var change = call.Value(Rotate) || call.Value(Retire) || call.Value(Branch) is not null || !images.IsEmpty;
        var webhook = change ? null : await call.Client.GetAsync(path, ApiJson.Default.WebhookResponse, cancellationToken);
        if (webhook is null or { HasSecret: false })
        {
            webhook = await call.Client.SendAsync(
                HttpMethod.Put,
                path,
                new WebhookRequest { Rotate = call.Value(Rotate), Retire = call.Value(Retire), Branch = call.Value(Branch), Images = images.IsEmpty ? null : images },
                ApiJson.Default.WebhookRequest,
                ApiJson.Default.WebhookResponse,
                cancellationToken);
        }

        call.Write(webhook, ApiJson.Readable.WebhookResponse, WebhookView.Write);
        return ExitCodes.Done;
    }
}
