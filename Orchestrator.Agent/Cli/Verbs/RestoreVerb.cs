using System.CommandLine;
using System.Globalization;
using Orchestrator.Agent.Api.Contracts;
using Orchestrator.Agent.Cli.Output;

namespace Orchestrator.Agent.Cli.Verbs;

/// <summary><c>restore</c>, and the part of <c>rollback</c> that takes the data along.</summary>
internal static class RestoreVerb
{
    public static readonly Option<bool> Yes = new("--yes", "-y") { Description = "Do not ask." };

    private static readonly Argument<string> Stack = new("STACK") { Description = "The stack's name." };

    private static readonly Option<string?> To = new("--to")
    {
        Description = "A time such as 2026-11-25T13:30:00Z, a set by its name or number, latest, or before-deployment:ID.",
        HelpName = "MOMENT",
    };

    private static readonly Option<bool> Preview = new("--preview") { Description = "Only show what would be lost and won." };
    private static readonly Option<long?> Undo = new("--undo") { Description = "Put the volumes that a restore replaced in their place again.", HelpName = "RESTORE" };

    public static Command Create(CliHost host) => Invocation.Verb(
        host,
        "restore",
        "Brings a stack's data back to a moment: shows what would change first, and keeps what is replaced for the undo.",
        command =>
        {
            command.Add(Stack);
            command.Add(To);
            command.Add(Preview);
            command.Add(Yes);
            command.Add(Undo);
            command.Add(OperationWatch.Detach);
        },
        RunAsync);

    /// <summary>Undoes the last deployment together with its data.</summary>
    public static Task<int> RollBackAsync(Invocation call, string stack, bool onlyShow, CancellationToken cancellationToken) =>
        AskAndDoAsync(call, stack, new() { LastDeployment = true }, onlyShow, cancellationToken);

    private static async Task<int> RunAsync(Invocation call, CancellationToken cancellationToken)
    {
        if (call.Value(Undo) is { } id)
        {
            if (call.Value(To) is not null) throw new CliFailure(ExitCodes.Usage, "--undo and --to exclude each other", null, "leave one out");

            var path = string.Create(CultureInfo.InvariantCulture, $"restores/{id}/undo");
            var begun = await call.Client.SendAsync(new HttpRequestMessage(HttpMethod.Post, path), ApiJson.Default.OperationResponse, cancellationToken);
            return await OperationWatch.FollowAsync(call, begun, _ => Task.CompletedTask, cancellationToken);
        }

        var to = call.Value(To) ?? throw new CliFailure(ExitCodes.Usage, "--to is missing", null, "a time, a set, latest, or before-deployment:ID; 'basmalin backup list STACK' shows the sets");
        return await AskAndDoAsync(call, call.Value(Stack), new() { To = to }, call.Value(Preview), cancellationToken);
    }

    private static async Task<int> AskAndDoAsync(Invocation call, string stack, RestoreRequest request, bool onlyShow, CancellationToken cancellationToken)
    {
        var path = $"stacks/{Uri.EscapeDataString(stack)}/restores";
        var agreed = call.Value(Yes);
        if (onlyShow || !agreed)
        {
            var preview = await call.Client.SendAsync(HttpMethod.Post, path + "/preview", request, ApiJson.Default.RestoreRequest, ApiJson.Default.RestorePreviewResponse, cancellationToken);
            call.Write(preview, ApiJson.Readable.RestorePreviewResponse, RestoreView.Write);
            if (onlyShow) return ExitCodes.Done;
            if (call.Json || !call.Host.Terminal) throw new CliFailure(ExitCodes.Usage, "nothing was done: nobody can be asked here", null, "say --yes when the preview is what you want");

            await call.Host.Out.WriteAsync($"Restore {stack}? Type its name: ");
            if ((await call.Host.In.ReadLineAsync(cancellationToken))?.Trim() != stack) throw new CliFailure(ExitCodes.Failed, "nothing was done", null, null);
        }

        var begun = await call.Client.SendAsync(HttpMethod.Post, path, request, ApiJson.Default.RestoreRequest, ApiJson.Default.OperationResponse, cancellationToken);
        return await OperationWatch.FollowAsync(
            call, begun,
            over =>
            {
                call.Say($"undo it with: basmalin restore {stack} --undo {over.Result}");
                return Task.CompletedTask;
            },
            cancellationToken);
    }
}
