using System.CommandLine;
using System.Globalization;
using Orchestrator.Agent.Api.Contracts;
using Orchestrator.Agent.Cli.Output;
using Orchestrator.Journal.Sqlite;

namespace Orchestrator.Agent.Cli.Verbs;

/// <summary><c>status</c>, <c>history</c>, <c>logs</c>, <c>doctor</c> and <c>version</c>: what changes nothing, but for the repair of the journal.</summary>
internal static class LookVerbs
{
    private static readonly Argument<string> Stack = new("STACK") { Description = "The stack's name." };
    private static readonly Argument<string?> AnyStack = new("STACK") { Description = "The stack's name; left out: all.", Arity = ArgumentArity.ZeroOrOne };
    private static readonly Argument<string?> Service = new("SERVICE") { Description = "Only this service.", Arity = ArgumentArity.ZeroOrOne };
    private static readonly Option<bool> Follow = new("--follow", "-f") { Description = "Go on with what is written from now on." };
    private static readonly Option<int> Lines = new("--lines", "-n") { Description = "How many lines of each container.", HelpName = "COUNT", DefaultValueFactory = _ => 100 };
    private static readonly Option<string?> Contains = new("--grep") { Description = "Only lines that contain this text.", HelpName = "TEXT" };
    private static readonly Option<int> Limit = new("--limit") { Description = "How many deployments.", HelpName = "COUNT", DefaultValueFactory = _ => 20 };

    private static readonly Option<bool> Repair = new("--repair") { Description = "Says how a damaged journal would be made whole again; with --yes, does it." };
    private static readonly Option<bool> Yes = new("--yes") { Description = "Does what --repair says." };

    private static readonly Option<bool> Offline = new("--offline") { Description = "Do not ask the daemon." };

    public static Command Status(CliHost host) => Invocation.Verb(
        host,
        "status",
        "Shows the stacks, or the services and containers of one.",
        command => command.Add(AnyStack),
        async (call, cancellationToken) =>
        {
            if (call.Optional(AnyStack) is not { } name)
            {
                var stacks = await call.Client.GetAsync("stacks", ApiJson.Default.StackResponseArray, cancellationToken);
                call.Write(stacks, ApiJson.Readable.StackResponseArray, StatusView.WriteAll);
                return ExitCodes.Done;
            }

            var stack = await call.Client.GetAsync($"stacks/{Uri.EscapeDataString(name)}", ApiJson.Default.StackResponse, cancellationToken);
            call.Write(stack, ApiJson.Readable.StackResponse, (text, found) => StatusView.Write(text, found, call.Host.Time.GetUtcNow()));
            return ExitCodes.Done;
        });

    public static Command History(CliHost host) => Invocation.Verb(
        host,
        "history",
        "Shows the deployments and releases of a stack, newest first.",
        command =>
        {
            command.Add(Stack);
            command.Add(Limit);
        },
        async (call, cancellationToken) =>
        {
            var name = Uri.EscapeDataString(call.Value(Stack));
            var releases = await call.Client.GetAsync($"stacks/{name}/releases", ApiJson.Default.ReleaseResponseArray, cancellationToken);
            var limit = call.Value(Limit).ToString(CultureInfo.InvariantCulture);
            var deployments = await call.Client.GetAsync($"deployments?stack={name}&limit={limit}", ApiJson.Default.DeploymentResponseArray, cancellationToken);
            call.Write(
                new HistoryResponse(call.Value(Stack), [.. deployments], [.. releases]),
                ApiJson.Readable.HistoryResponse,
                (text, found) => HistoryView.Write(text, found, call.Host.Time.GetUtcNow()));
            return ExitCodes.Done;
        });

    public static Command Logs(CliHost host) => Invocation.Verb(
        host,
        "logs",
        "Shows what a stack's containers have written.",
        command =>
        {
            command.Add(Stack);
            command.Add(Service);
            command.Add(Follow);
            command.Add(Lines);
            command.Add(Contains);
        },
        LogsAsync);

    public static Command Doctor(CliHost host) => Invocation.Verb(
        host,
        "doctor",
        "Lets the daemon look at itself and its surroundings, and repair its journal.",
        command =>
        {
            command.Add(Repair);
            command.Add(Yes);
        },
        async (call, cancellationToken) =>
        {
            if (call.Value(Repair)) return await RepairAsync(call, cancellationToken);
            var report = await call.Client.GetAsync("doctor", ApiJson.Default.DoctorResponse, cancellationToken);
            call.Write(report, ApiJson.Readable.DoctorResponse, DoctorView.Write);
            return report.Ok ? ExitCodes.Done : ExitCodes.Failed;
        });

    public static Command Version(CliHost host) => Invocation.Verb(
        host,
        "version",
        "Says which version this is, and which one the daemon.",
        command => command.Add(Offline),
        async (call, cancellationToken) =>
        {
            VersionResponse? daemon = null;
            try
            {
                if (!call.Value(Offline)) daemon = await call.Client.GetAsync("version", ApiJson.Default.VersionResponse, cancellationToken);
            }
            catch (CliFailure failure) when (failure.ExitCode != ExitCodes.Usage)
            {
                if (!call.Json) await call.Host.Error.WriteLineAsync($"daemon: {failure.Message}");
            }

            call.Write(new VersionReport(VersionReport.Name, Build.Version, JournalSchema.Known, daemon), ApiJson.Readable.VersionReport, (text, report) =>
            {
                text.WriteLine($"basmalin {report.Client}");
                if (report.Daemon is { } found) text.WriteLine($"daemon   {found.Version} on {found.Runtime}, engine {found.Engine ?? "not reachable"}");
            });
            return ExitCodes.Done;
        });

    /// <summary>First what would be done; then, when that is wanted, it.</summary>
    private static async Task<int> RepairAsync(Invocation call, CancellationToken cancellationToken)
    {
        var sure = call.Value(Yes);
        var report = await AskAsync(dryRun: !sure);
        call.Write(report, ApiJson.Readable.RepairResponse, RepairView.Write);
        if (report.Needed && !report.Done) call.Say("Nothing was changed. To do it: basmalin doctor --repair --yes");
        return report is { Needed: true, Done: false } ? ExitCodes.Failed : ExitCodes.Done;

        Task<RepairResponse> AskAsync(bool dryRun) => call.Client.SendAsync(
            HttpMethod.Post, "doctor/repair", new RepairRequest(dryRun), ApiJson.Default.RepairRequest, ApiJson.Default.RepairResponse, cancellationToken);
    }

    private static async Task<int> LogsAsync(Invocation call, CancellationToken cancellationToken)
    {
        var query = string.Create(CultureInfo.InvariantCulture, $"?lines={call.Value(Lines)}");
        if (call.Optional(Service) is { } service) query += $"&service={Uri.EscapeDataString(service)}";
        if (call.Value(Contains) is { } text) query += $"&q={Uri.EscapeDataString(text)}";
        var path = $"stacks/{Uri.EscapeDataString(call.Value(Stack))}/logs{query}";
        if (!call.Value(Follow))
        {
            var lines = await call.Client.GetAsync(path, ApiJson.Default.LogLineResponseArray, cancellationToken);
            call.Write(lines, ApiJson.Readable.LogLineResponseArray, (output, found) =>
            {
                foreach (var line in found) LogView.Write(output, line);
            });
            return ExitCodes.Done;
        }

        try
        {
            await foreach (var line in call.Client.EventsAsync(path + "&follow=true", ApiJson.Default.LogLineResponse, cancellationToken))
            {
                if (call.Json) call.WriteJson(line, ApiJson.Default.LogLineResponse);
                else LogView.Write(call.Host.Out, line);
            }
        }
        catch (Exception exception) when (exception is IOException or HttpRequestException)
        {
            throw new CliFailure(ExitCodes.Failed, "the connection to the daemon was cut", exception.Message, "say it again when the daemon is back");
        }

        return ExitCodes.Done;
    }
}
