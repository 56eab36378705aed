using System.CommandLine;
using Orchestrator.Agent.Api.Contracts;
using Orchestrator.Agent.Cli.Output;

namespace Orchestrator.Agent.Cli.Verbs;

/// <summary><c>recover</c>: an empty machine, a store and a key.</summary>
internal static class RecoverVerb
{
    private static readonly Argument<string?> Stack = new("STACK") { Description = "The stack; left out: every stack that the stores have sets of.", Arity = ArgumentArity.ZeroOrOne };
    private static readonly Option<FileInfo> Key = new("--key") { Description = "The file with the private key that was kept elsewhere.", HelpName = "FILE", Required = true };

    private static readonly Option<string?> From = new("--from") { Description = "The only store of the settings that is read, by its name.", HelpName = "STORE" };
    private static readonly Option<string?> To = new("--to") { Description = "A time, a set, or latest, which is what it goes to unless this is said.", HelpName = "MOMENT" };

    public static Command Create(CliHost host) => Invocation.Verb(
        host,
        "recover",
        "Brings stacks up on a machine that knows nothing of them: from the stores of the daemon's settings and a private key.",
        command =>
        {
            command.Add(Stack);
            command.Add(Key);
            command.Add(From);
            command.Add(To);
            command.Add(OperationWatch.Detach);
        },
        RunAsync);

    private static async Task<int> RunAsync(Invocation call, CancellationToken cancellationToken)
    {
        var file = call.Value(Key) ?? throw new CliFailure(ExitCodes.Usage, "--key is missing", null, "the file with the private key that was kept elsewhere");
        string identity;
        try
        {
            identity = await File.ReadAllTextAsync(file.FullName, cancellationToken);
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException)
        {
            throw new CliFailure(ExitCodes.Usage, $"{file.FullName} cannot be read", unreadable.Message, "name the file with the private key that was kept elsewhere");
        }

        var begun = await call.Client.SendAsync(
            HttpMethod.Post, "recover", new RecoverRequest { Stack = call.Optional(Stack), From = call.Value(From), To = call.Value(To), Identity = identity }, ApiJson.Default.RecoverRequest, ApiJson.Default.OperationResponseArray, cancellationToken);
        var worst = ExitCodes.Done;
        foreach (var operation in begun)
        {
            call.Say($"recovering {operation.Stack}");
            worst = Math.Max(worst, await OperationWatch.FollowAsync(call, operation, _ => Task.CompletedTask, cancellationToken));
        }

        return worst;
    }
}
