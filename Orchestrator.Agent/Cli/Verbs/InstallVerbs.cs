using System.CommandLine;
using Orchestrator.Agent.Api.Contracts;
using Orchestrator.Agent.Cli.Output;
using Orchestrator.Agent.Installation;

namespace Orchestrator.Agent.Cli.Verbs;

/// <summary><c>install</c>, <c>uninstall</c> and <c>upgrade</c>: the daemon as a service of this machine.</summary>
internal static class InstallVerbs
{
    private const int DefaultWithin = 90;

    private static readonly Option<bool> DryRun = new("--dry-run") { Description = "Say what would be done, and do nothing." };
    private static readonly Option<string?> Root = new("--root") { Description = "Lay everything down below this directory, as for an image; no command is run.", HelpName = "DIR" };
    private static readonly Option<string?> From = new("--from") { Description = "The program to install. [default: this one]", HelpName = "FILE" };
    private static readonly Option<bool> NoStart = new("--no-start") { Description = "Neither enable nor start it." };
    private static readonly Option<bool> Purge = new("--purge") { Description = "Settings, journal, keys and backups as well. What they held is gone." };
    private static readonly Argument<string> NewProgram = new("FILE") { Description = "The new program." };
    private static readonly Option<string?> Sha256 = new("--sha256") { Description = "What the file's SHA-256 must be.", HelpName = "HEX" };
    private static readonly Option<int> Within = new("--within") { Description = "How long it may take to be ready.", HelpName = "SECONDS", DefaultValueFactory = _ => DefaultWithin };

    public static Command Install(CliHost host) => Invocation.Verb(
        host,
        "install",
        "Makes this program a service of this machine: program, user, directories, settings, units. Said again it brings them up to date.",
        command =>
        {
            foreach (var option in (Option[])[DryRun, Root, From, NoStart]) command.Add(option);
        },
        (call, cancellationToken) => GuardedAsync(async () =>
        {
            var program = Path.GetFullPath(call.Value(From) ?? Environment.ProcessPath ?? throw new InstallException("this program does not know where it is", null, "name it with --from"));
            var report = await Here(call).InstallAsync(program, start: !call.Value(NoStart), cancellationToken);
            call.Write(report, ApiJson.Readable.InstallResponse, InstallView.Write);
            return ExitCodes.Done;
        }));

    public static Command Uninstall(CliHost host) => Invocation.Verb(
        host,
        "uninstall",
        "Takes the service away. Stacks go on running; settings and data stay.",
        command =>
        {
            foreach (var option in (Option[])[DryRun, Root, Purge]) command.Add(option);
        },
        (call, cancellationToken) => GuardedAsync(async () =>
        {
            OwnAssemblies.LoadAll();
            var report = await Here(call).UninstallAsync(call.Value(Purge), cancellationToken);
            call.Write(report, ApiJson.Readable.InstallResponse, InstallView.Write);
            return ExitCodes.Done;
        }));

    public static Command Upgrade(CliHost host) => Invocation.Verb(
        host,
        "upgrade",
        "Replaces the installed program, restarts the service, and goes back by itself when the new one is not well.",
        command =>
        {
            command.Add(NewProgram);
            command.Add(Sha256);
            command.Add(Within);
        },
        (call, cancellationToken) => GuardedAsync(async () =>
        {
            if (call.Value(Within) is < 1 or > 3600) throw new CliFailure(ExitCodes.Usage, "--within must be from 1 to 3600 seconds", null, null);

            OwnAssemblies.LoadAll();
            var upgrade = new Upgrade(new InstallPaths("/"), call.Host.Time, call.Say);
            var report = await upgrade.RunAsync(Path.GetFullPath(call.Value(NewProgram)), call.Value(Sha256), TimeSpan.FromSeconds(call.Value(Within)), cancellationToken);
            call.Write(report, ApiJson.Readable.UpgradeResponse, InstallView.Write);
            return report.Outcome is "upgraded" or "same" ? ExitCodes.Done : ExitCodes.Failed;
        }));

    private static Installer Here(Invocation call) => new(new InstallPaths(call.Value(Root) is { } root ? Path.GetFullPath(root) : "/"), call.Value(DryRun));

    private static async Task<int> GuardedAsync(Func<Task<int>> run)
    {
        try
        {
            return await run();
        }
        catch (InstallException exception)
        {
            throw new CliFailure(ExitCodes.Failed, exception.Message, exception.Why, exception.Hint);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new CliFailure(ExitCodes.Failed, "a file cannot be read or written", exception.Message, "is it said by root, and is there room on the disk?");
        }
    }
}
