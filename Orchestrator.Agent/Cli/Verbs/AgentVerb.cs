using System.CommandLine;
using Orchestrator.Agent.Hosting;

namespace Orchestrator.Agent.Cli.Verbs;

/// <summary><c>agent</c>: the daemon itself.</summary>
internal static class AgentVerb
{
    public const string Name = "agent";

    private static readonly Option<string?> Config = new("--config") { Description = $"The daemon's settings. [default {AgentFile.DefaultPath}, which need not exist]", HelpName = "FILE" };

    public static Command Create(CliHost host)
    {
        var command = new Command(Name, "Runs the daemon.");
        command.Add(Config);
        command.SetAction((parsed, cancellationToken) => RunAsync(host, parsed.GetValue(Config), cancellationToken));
        return command;
    }

    private static async Task<int> RunAsync(CliHost host, string? file, CancellationToken cancellationToken)
    {
        var settings = AgentFile.Load(file, host.Environment);
        if (settings.Options is { } options) return await Daemon.RunAsync(options, host.Terminal, cancellationToken);

        foreach (var problem in settings.Problems) await host.Error.WriteLineAsync(problem);
        return ExitCodes.Usage;
    }
}
