using System.CommandLine;
using System.Globalization;
using Orchestrator.Agent.Api.Contracts;
using Orchestrator.Agent.Cli.Output;

namespace Orchestrator.Agent.Cli.Verbs;

/// <summary><c>backup run|list|verify|prune</c> and <c>drill</c>: recovery points, and proving them.</summary>
internal static class BackupVerbs
{
    private static readonly Argument<string> Stack = new("STACK") { Description = "The stack's name." };
    private static readonly Option<string?> Set = new("--set") { Description = "The set, by its name or number; left out: the newest.", HelpName = "SET" };
    private static readonly Option<bool> Dump = new("--dump") { Description = "A logical dump, a second format: loaded into a throw-away server at once to prove it." };
    private static readonly Option<bool> DryRun = new("--dry-run") { Description = "Only say what would be removed, and why the rest stays." };
    private static readonly Option<int> Limit = new("--limit") { Description = "How many sets.", HelpName = "COUNT", DefaultValueFactory = _ => 20 };

    /// <summary>Those of <c>backup</c> that talk to the daemon.</summary>
    public static IEnumerable<Command> OfBackup(CliHost host) => [Run(host), List(host), Verify(host), Prune(host), ExportVerb.Create(host)];

    public static Command Drill(CliHost host) => Invocation.Verb(
        host,
        "drill",
        "Restores a set into throw-away containers, checks every row, key and file, and lets the application try it.",
        command =>
        {
            command.Add(Stack);
            command.Add(Set);
            command.Add(OperationWatch.Detach);
        },
        async (call, cancellationToken) =>
        {
            var path = $"backups/{Uri.EscapeDataString(await NameAsync(call, cancellationToken))}/drill";
            var begun = await call.Client.SendAsync(new HttpRequestMessage(HttpMethod.Post, path), ApiJson.Default.OperationResponse, cancellationToken);
            return await OperationWatch.FollowAsync(call, begun, over => BackupView.WriteDrillAsync(call, over, cancellationToken), cancellationToken);
        });

    private static Command Run(CliHost host) => Invocation.Verb(
        host,
        "run",
        "Makes a set of a stack, or a logical dump of its PostgreSQL, now.",
        command =>
        {
            command.Add(Stack);
            command.Add(Dump);
            command.Add(OperationWatch.Detach);
        },
        async (call, cancellationToken) =>
        {
            var begun = await call.Client.SendAsync(
                HttpMethod.Post, $"stacks/{Uri.EscapeDataString(call.Value(Stack))}/backups", new MakeBackupRequest { Dump = call.Value(Dump) }, ApiJson.Default.MakeBackupRequest, ApiJson.Default.OperationResponse,
                cancellationToken);
            return await OperationWatch.FollowAsync(call, begun, over => BackupView.WriteMadeAsync(call, over, cancellationToken), cancellationToken);
        });

    private static Command List(CliHost host) => Invocation.Verb(
        host,
        "list",
        "Shows the sets of a stack, what is due next, and the latest drills and restores.",
        command =>
        {
            command.Add(Stack);
            command.Add(Limit);
        },
        async (call, cancellationToken) =>
        {
            var found = await BooksAsync(call, call.Value(Limit), cancellationToken);
            call.Write(found, ApiJson.Readable.BackupsResponse, (text, books) => BackupView.Write(text, books, call.Host.Time.GetUtcNow()));
            return ExitCodes.Done;
        });

    private static Command Verify(CliHost host) => Invocation.Verb(
        host,
        "verify",
        "Reads every object of a set back from every store and compares its hash.",
        command =>
        {
            command.Add(Stack);
            command.Add(Set);
            command.Add(OperationWatch.Detach);
        },
        async (call, cancellationToken) =>
        {
            var path = $"backups/{Uri.EscapeDataString(await NameAsync(call, cancellationToken))}/verify";
            var begun = await call.Client.SendAsync(new HttpRequestMessage(HttpMethod.Post, path), ApiJson.Default.OperationResponse, cancellationToken);
            return await OperationWatch.FollowAsync(call, begun, over => BackupView.WriteMadeAsync(call, over, cancellationToken), cancellationToken);
        });

    private static Command Prune(CliHost host) => Invocation.Verb(
        host,
        "prune",
        "Removes the sets that retention no longer wants, as is done after each set; with --dry-run, says which and why.",
        command =>
        {
            command.Add(Stack);
            command.Add(DryRun);
            command.Add(OperationWatch.Detach);
        },
        async (call, cancellationToken) =>
        {
            var path = $"stacks/{Uri.EscapeDataString(call.Value(Stack))}/backups";
            if (call.Value(DryRun))
            {
                call.Write(await call.Client.GetAsync($"{path}/retention", ApiJson.Default.RetentionResponse, cancellationToken), ApiJson.Readable.RetentionResponse, BackupView.Write);
                return ExitCodes.Done;
            }

            var begun = await call.Client.SendAsync(new HttpRequestMessage(HttpMethod.Post, $"{path}/prune"), ApiJson.Default.OperationResponse, cancellationToken);
            return await OperationWatch.FollowAsync(
                call, begun,
                over =>
                {
                    call.Say($"{over.Result} sets removed");
                    return Task.CompletedTask;
                },
                cancellationToken);
        });

    private static Task<BackupsResponse> BooksAsync(Invocation call, int limit, CancellationToken cancellationToken) => call.Client.GetAsync(
        string.Create(CultureInfo.InvariantCulture, $"stacks/{Uri.EscapeDataString(call.Value(Stack))}/backups?limit={limit}"), ApiJson.Default.BackupsResponse, cancellationToken);

    /// <summary>STACK.SET of the one that is meant.</summary>
    private static async Task<string> NameAsync(Invocation call, CancellationToken cancellationToken)
    {
        var stack = call.Value(Stack);
        var books = await BooksAsync(call, 500, cancellationToken);
        var wanted = call.Value(Set);
        var found = wanted is null
            ? books.Sets.FirstOrDefault(set => set is { State: "succeeded", Dump: false })
            : books.Sets.FirstOrDefault(set => set.Set == wanted || set.Id == wanted || $"{set.Number}" == wanted);
        return found?.Id ?? throw new CliFailure(
            ExitCodes.Failed, wanted is null ? $"{stack} has no set that can be restored" : $"{stack} has no set {wanted}", null,
            wanted is null ? $"make one: basmalin backup run {stack}" : $"see what there is: basmalin backup list {stack}");
    }
}
