using System.CommandLine;
using Orchestrator.Agent.Api.Contracts;

namespace Orchestrator.Agent.Cli.Verbs;

/// <summary><c>backup export</c>: one person's rows, or an anonymised copy, out of a dump.</summary>
internal static class ExportVerb
{
    private static readonly Argument<string> Stack = new("STACK") { Description = "The stack's name." };
    private static readonly Option<string> Service = new("--service") { Description = "The PostgreSQL service.", HelpName = "SERVICE", Required = true };
    private static readonly Option<string?> User = new("--user") { Description = "The key of the person whose rows are wanted (backup.export in the stack's file).", HelpName = "KEY" };
    private static readonly Option<bool> Anonymise = new("--anonymise") { Description = "All rows, masked as backup.anonymise in the stack's file says." };
    private static readonly Option<string?> Set = new("--set") { Description = "The dump; left out: the newest.", HelpName = "SET" };
    private static readonly Option<FileInfo> Out = new("--out") { Description = "The file to write. It must not be there yet.", HelpName = "FILE", Required = true };

    public static Command Create(CliHost host) => Invocation.Verb(
        host,
        "export",
        "Takes one person's rows (JSON), or an anonymised copy (pg_restore), out of a dump. Production is not asked.",
        command =>
        {
            command.Add(Stack);
            foreach (var option in (Option[])[Service, User, Anonymise, Set, Out]) command.Add(option);
        },
        RunAsync);

    private static async Task<int> RunAsync(Invocation call, CancellationToken cancellationToken)
    {
        var file = call.Value(Out) ?? throw new CliFailure(ExitCodes.Usage, "--out is missing", null, "name the file to write");
        if (call.Value(User) is null != call.Value(Anonymise))
            throw new CliFailure(ExitCodes.Usage, "one of --user and --anonymise is expected", null, "--user KEY for one person's rows, --anonymise for a masked copy of all");

        var request = new ExportRequest { Service = call.Value(Service) ?? "", User = call.Value(User), Anonymise = call.Value(Anonymise), Set = call.Value(Set) };
        await using (var output = Open(file))
        {
            try
            {
                await call.Client.DownloadAsync($"stacks/{Uri.EscapeDataString(call.Value(Stack))}/exports", request, ApiJson.Default.ExportRequest, output, cancellationToken);
            }
            catch
            {
                // A part of it is worth nothing, and is somebody's data.
                file.Delete();
                throw;
            }
        }

        file.Refresh();
        call.Write(new DoneResponse(true), ApiJson.Readable.DoneResponse, (text, _) => text.WriteLine($"{file.FullName}: {file.Length} bytes"));
        return ExitCodes.Done;
    }

    private static FileStream Open(FileInfo file)
    {
        try
        {
            return new(file.FullName, new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite });
        }
        catch (Exception refused) when (refused is IOException or UnauthorizedAccessException)
        {
            throw new CliFailure(ExitCodes.Usage, $"{file.FullName} cannot be written", refused.Message, "name a file that is not there yet");
        }
    }
}
