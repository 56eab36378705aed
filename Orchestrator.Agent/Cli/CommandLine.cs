using System.CommandLine;
using Orchestrator.Agent.Cli.Verbs;

namespace Orchestrator.Agent.Cli;

/// <summary>The whole command line. Client verbs load nothing of the daemon.</summary>
internal static class CommandLine
{
    public static RootCommand Create(CliHost host)
    {
        var root = new RootCommand("BasMalin runs Compose files on Docker and replaces their services without losing a request.");
        root.Add(GlobalOptions.Json);
        root.Add(GlobalOptions.Socket);
        root.Add(GlobalOptions.Url);
        root.Add(GlobalOptions.Token);
        root.Add(AgentVerb.Create(host));
        root.Add(FileVerbs.Apply(host));
        root.Add(FileVerbs.Plan(host));
        root.Add(StackVerbs.Deploy(host));
        root.Add(StackVerbs.Rollback(host));
        root.Add(StackVerbs.Remove(host));
        root.Add(Backup(host));
        root.Add(BackupVerbs.Drill(host));
        root.Add(RestoreVerb.Create(host));
        root.Add(RecoverVerb.Create(host));
        root.Add(LookVerbs.Status(host));
        root.Add(LookVerbs.History(host));
        root.Add(LookVerbs.Logs(host));
        root.Add(StackVerbs.Cancel(host));
        root.Add(AccessVerbs.Token(host));
        root.Add(AccessVerbs.Secret(host));
        root.Add(WebhookVerb.Create(host));
        root.Add(StackVerbs.Maintenance(host));
        root.Add(PauseVerbs.Pause(host));
        root.Add(PauseVerbs.Resume(host));
        root.Add(HealVerb.Create(host));
        root.Add(LookVerbs.Doctor(host));
        root.Add(FileVerbs.Config(host));
        root.Add(InstallVerbs.Install(host));
        root.Add(InstallVerbs.Upgrade(host));
        root.Add(InstallVerbs.Uninstall(host));
        root.Add(LookVerbs.Version(host));
        return root;
    }

    public static async Task<int> RunAsync(string[] arguments, CliHost host)
    {
        var parsed = Create(host).Parse(arguments);
        if (parsed.Errors.Count > 0)
        {
            foreach (var error in parsed.Errors) await host.Error.WriteLineAsync($"error: {error.Message}");
            await host.Error.WriteLineAsync($"  hint: {Path(parsed)} --help");
            return ExitCodes.Usage;
        }

        // The daemon has its own way of ending; a client verb is given a moment to say that it was interrupted.
        var daemon = parsed.CommandResult.Command.Name == AgentVerb.Name;
        return await parsed.InvokeAsync(new InvocationConfiguration
        {
            Output = host.Out,
            Error = host.Error,
            EnableDefaultExceptionHandler = false,
            ProcessTerminationTimeout = daemon ? null : TimeSpan.FromSeconds(2),
        });
    }

    private static Command Backup(CliHost host)
    {
        var backup = new Command("backup", "Makes recovery points of stacks, lists and verifies them; makes the keys that read them.");
        foreach (var verb in BackupVerbs.OfBackup(host)) backup.Add(verb);
        foreach (var verb in BackupKeyVerbs.OfBackup(host)) backup.Add(verb);
        return backup;
    }

    private static string Path(ParseResult parsed)
    {
        var names = new List<string>();
        for (var result = parsed.CommandResult; result is not null; result = result.Parent as System.CommandLine.Parsing.CommandResult) names.Insert(0, result.Command.Name);
        names[0] = "basmalin";
        return string.Join(' ', names);
    }
}
