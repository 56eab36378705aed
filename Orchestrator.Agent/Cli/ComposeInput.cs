using System.Collections.Immutable;
using System.Text;
using Orchestrator.Agent.Api;
using Orchestrator.Agent.Api.Contracts;
using Orchestrator.Stacks;

namespace Orchestrator.Agent.Cli;

/// <summary>
/// A Compose file as the command line has it: read here first, so that its problems show at once; then sent as it is, with the directory
/// and only those variables that it refers to.
/// </summary>
internal sealed class ComposeInput
{
    private readonly Stack? _stack;

    private ComposeInput(ComposeSource source, ComposeResult result)
    {
        Source = source;
        _stack = result.Stack;
        Findings = [.. result.Findings.Select(FindingResponses.From)];
    }

    public ComposeSource Source { get; }

    public ImmutableArray<FindingResponse> Findings { get; }

    public bool Ok => _stack is not null;

    public Stack Stack => _stack ?? throw new InvalidOperationException("The file has errors.");

    /// <summary>The part of the environment that the file refers to: nothing else leaves this process.</summary>
    public ImmutableSortedDictionary<string, string> Referenced => Source.Environment.ToImmutableSortedDictionary(StringComparer.Ordinal);

    public static async Task<ComposeInput> ReadAsync(CliHost host, string file, string? name, string[] profiles, CancellationToken cancellationToken)
    {
        var path = file == "-" ? Path.Combine(Directory.GetCurrentDirectory(), "compose.yml") : Path.GetFullPath(file);
        var content = file == "-" ? await host.In.ReadToEndAsync(cancellationToken) : Load(path);
        var referenced = ComposeReader.ReferencedVariables(content);
        var source = new ComposeSource
        {
            FileName = file == "-" ? "standard input" : Path.GetFileName(path),
            Content = content,
            Directory = Path.GetDirectoryName(path) ?? "/",
            StackName = name,
            Environment = host.Environment.Where(variable => referenced.Contains(variable.Key)).ToImmutableDictionary(),
            Profiles = [.. profiles, .. host.Environment.GetValueOrDefault("COMPOSE_PROFILES", "").Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)],
        };
        return new ComposeInput(source, ComposeReader.Read(source));
    }

    public void ThrowIfWrong()
    {
        if (Ok) return;

        var errors = Findings.Where(finding => finding.Severity == "error").ToImmutableArray();
        throw new CliFailure(ExitCodes.Usage, $"{Source.FileName} has {errors.Length} problem{(errors.Length == 1 ? "" : "s")}", null, "nothing was sent to the daemon")
        {
            Problem = new ProblemResponse { Title = $"{Source.FileName} cannot be used", Status = 422, Reason = "invalidFile", Errors = errors },
        };
    }

    /// <summary>Notes go to standard error: they are not the result.</summary>
    public void WriteNotes(Invocation call)
    {
        foreach (var finding in Findings) call.Host.Error.WriteLine(Line(finding));
    }

    public void WriteFindings(Invocation call)
    {
        foreach (var finding in Findings) (finding.Severity == "error" ? call.Host.Error : call.Host.Out).WriteLine(Line(finding));
        if (Ok) call.Host.Out.WriteLine($"{Source.FileName}: stack {Stack.Name}, {Stack.Services.Length} service{(Stack.Services.Length == 1 ? "" : "s")}, no errors");
    }

    private static string Load(string path) => ComposeFile.TryLoad(path, out var content, out var problem)
        ? content
        : throw new CliFailure(ExitCodes.Usage, $"{path} cannot be read", problem.Message, problem.Hint);

    private static string Line(FindingResponse finding) =>
        new StringBuilder($"{finding.File}:{finding.Line}:{finding.Column}: {finding.Severity}: {(finding.Key.Length == 0 ? "" : $"{finding.Key}: ")}{finding.Message}")
            .Append(finding.Hint is null ? "" : $" ({finding.Hint})")
            .ToString();
}
