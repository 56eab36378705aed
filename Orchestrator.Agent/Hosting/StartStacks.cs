using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;
using Orchestrator.Deployments;
using Orchestrator.Journal;
using Orchestrator.Stacks;

namespace Orchestrator.Agent.Hosting;

/// <summary>
/// Applies the files of <c>stacks:</c> when the daemon starts. A file that says what it said when it was last applied here is left alone:
/// a restart must not undo what was deployed or rolled back since.
/// </summary>
internal sealed partial class StartStacks(AgentOptions options, IJournal journal, DeploymentService deployments, GrantedFiles files, ILogger<StartStacks> logger)
{
    private readonly string _applied = Path.Combine(options.Data, "applied");

    public async Task ApplyAsync(CancellationToken cancellationToken)
    {
        if (options.Stacks is not { } directory) return;

        foreach (var file in Files(directory))
        {
            try
            {
                await ApplyAsync(file, cancellationToken);
            }
            catch (Exception exception) when (exception is JournalException or IOException or UnauthorizedAccessException)
            {
                LogFailed(exception, file);
            }
        }
    }

    // In the order in which Compose looks for them.
    private static readonly ImmutableArray<string> Names = ["compose.yml", "compose.yaml", "docker-compose.yml"];

    private static ImmutableArray<string> Files(string directory) =>
    [
        .. Directory.EnumerateFiles(directory)
            .Concat(Directory.EnumerateDirectories(directory).SelectMany(inner => Names.Select(name => Path.Combine(inner, name)).Where(File.Exists).Take(1)))
            .Where(file => Path.GetExtension(file) is ".yml" or ".yaml")
            .Order(StringComparer.Ordinal),
    ];

    private async Task ApplyAsync(string file, CancellationToken cancellationToken)
    {
        if (!ComposeFile.TryLoad(file, out var content, out var problem))
        {
            LogRefused(file, problem.Message);
            return;
        }

        var referenced = ComposeReader.ReferencedVariables(content);
        var environment = AgentFile.ProcessEnvironment().Where(variable => referenced.Contains(variable.Key)).ToImmutableDictionary();
        var result = ComposeReader.Read(new ComposeSource
        {
            FileName = file,
            Content = content,
            Directory = Path.GetDirectoryName(file) ?? "/",

            // A file directly in the directory has its own name for want of a better one.
            StackName = Path.GetDirectoryName(file) == options.Stacks && !content.Contains("\nname:", StringComparison.Ordinal) && !content.StartsWith("name:", StringComparison.Ordinal)
                ? Path.GetFileNameWithoutExtension(file)
                : null,
            Environment = environment,
        });
        if (result.Stack is not { } stack)
        {
            foreach (var error in result.Errors) LogRefused(file, error.ToString());
            return;
        }

        var mark = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(StackJson.Write(stack))));
        var note = Path.Combine(_applied, stack.Name);
        if (File.Exists(note) && await File.ReadAllTextAsync(note, cancellationToken) == mark && await journal.FindStackAsync(stack.Name, cancellationToken) is { CurrentRelease: > 0 })
        {
            LogUnchanged(file, stack.Name);
            return;
        }

        await files.KeepAsync(stack, environment, cancellationToken);

        // Should the daemon die before the note is written, the file is applied once more, which finds nothing to do.
        var admission = await deployments.SubmitAsync(
            new DeploymentRequest { Stack = stack.Name, Kind = DeploymentKind.Apply, File = stack, Origin = "start" },
            null,
            cancellationToken);
        Directory.CreateDirectory(_applied);
        await File.WriteAllTextAsync(note + ".tmp", mark, cancellationToken);
        File.Move(note + ".tmp", note, overwrite: true);
        LogApplied(file, stack.Name, admission.Deployment.Id);
    }

    [LoggerMessage(EventId = 1021, Level = LogLevel.Information, Message = "{File}: stack {Stack} is applied as deployment {Deployment}")]
    private partial void LogApplied(string file, string stack, DeploymentId deployment);

    [LoggerMessage(EventId = 1022, Level = LogLevel.Information, Message = "{File}: says what it said when {Stack} was last applied from it; left alone")]
    private partial void LogUnchanged(string file, string stack);

    [LoggerMessage(EventId = 1023, Level = LogLevel.Error, Message = "{File} is not applied: {Problem}")]
    private partial void LogRefused(string file, string problem);

    [LoggerMessage(EventId = 1024, Level = LogLevel.Error, Message = "{File} could not be applied")]
    private partial void LogFailed(Exception exception, string file);
}
