using System.CommandLine;
using Orchestrator.Agent.Api.Contracts;
using Orchestrator.Agent.Cli.Output;

namespace Orchestrator.Agent.Cli.Verbs;

/// <summary><c>heal</c>: what was given up has its attempts again.</summary>
internal static class HealVerb
{
    private static readonly Argument<string> Stack = new("STACK") { Description = "The stack's name." };

    public static Command Create(CliHost host) => Invocation.Verb(
        host,
        "heal",
        "Tries again what healing has given up, and holds a stack against its release now.",
        command => command.Add(Stack),
        async (call, cancellationToken) =>
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, $"stacks/{Uri.EscapeDataString(call.Value(Stack))}/heal");
            var stack = await call.Client.SendAsync(request, ApiJson.Default.StackResponse, cancellationToken);
            call.Write(stack, ApiJson.Readable.StackResponse, Say);
            return ExitCodes.Done;
        });

    private static void Say(TextWriter text, StackResponse stack)
    {
        if (stack.Drift.IsEmpty) text.WriteLine($"{stack.Stack} is as its release says, as far as was seen; it is looked at once more now");
        else
        {
            StatusView.WriteDrift(text, stack);
            text.WriteLine($"\ntried again now; 'basmalin status {stack.Stack}' shows what comes of it");
        }
    }
}
