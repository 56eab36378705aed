using System.CommandLine;
using Orchestrator.Agent.Api.Contracts;
using Orchestrator.Agent.Cli.Output;

namespace Orchestrator.Agent.Cli.Verbs;

/// <summary><c>pause</c> and <c>resume</c>: requests wait at the edge for a while.</summary>
internal static class PauseVerbs
{
    private static readonly Argument<string> Stack = new("STACK") { Description = "The stack's name." };
    private static readonly Argument<string?> Service = new("SERVICE") { Description = "Only this service; left out: every routed one.", Arity = ArgumentArity.ZeroOrOne };
    private static readonly Option<string?> For = new("--for") { Description = "How long at most, 1s to 10m; left out: 30s.", HelpName = "DURATION" };

    public static Command Pause(CliHost host) => Invocation.Verb(
        host,
        "pause",
        "Holds the requests of a service at the edge: nobody is refused, everybody waits. It ends by itself.",
        command =>
        {
            command.Add(Stack);
            command.Add(Service);
            command.Add(For);
        },
        (call, cancellationToken) => EachAsync(call, "pause", new PauseRequest(call.Value(For)), cancellationToken));

    public static Command Resume(CliHost host) => Invocation.Verb(
        host,
        "resume",
        "Ends a pause; what was held goes on, a few at a time.",
        command =>
        {
            command.Add(Stack);
            command.Add(Service);
        },
        (call, cancellationToken) => EachAsync(call, "resume", new PauseRequest(), cancellationToken));

    private static async Task<int> EachAsync(Invocation call, string act, PauseRequest body, CancellationToken cancellationToken)
    {
        var path = $"stacks/{Uri.EscapeDataString(call.Value(Stack))}";
        var services = call.Optional(Service) is { } one ? [one] : await RoutedAsync(call, path, cancellationToken);
        if (services is []) throw new CliFailure(ExitCodes.Failed, $"{call.Value(Stack)} has no routed service", null, "only requests that come through the edge can be held");

        StackResponse? stack = null;
        foreach (var service in services)
        {
            stack = await call.Client.SendAsync(
                HttpMethod.Post, $"{path}/services/{Uri.EscapeDataString(service)}/{act}", body, ApiJson.Default.PauseRequest, ApiJson.Default.StackResponse, cancellationToken);
        }

        if (stack is not null) call.Write(stack, ApiJson.Readable.StackResponse, (text, found) => Say(text, found, services));
        return ExitCodes.Done;
    }

    private static async Task<string[]> RoutedAsync(Invocation call, string path, CancellationToken cancellationToken)
    {
        var stack = await call.Client.SendAsync(new HttpRequestMessage(HttpMethod.Get, path), ApiJson.Default.StackResponse, cancellationToken);
        return [.. stack.Services.Where(service => service.Role == "routed").Select(service => service.Service)];
    }

    private static void Say(TextWriter text, StackResponse stack, string[] services)
    {
        foreach (var service in stack.Services.Where(service => services.Contains(service.Service)))
            text.WriteLine($"{stack.Stack}/{service.Service}: {StatusView.Paused(service) ?? "requests pass"}");
    }
}
