using System.Collections.Immutable;
using System.Text.Json.Nodes;
using Orchestrator.Agent.Cli;

namespace Orchestrator.Tests.Agent;

/// <summary>What a command line has left behind.</summary>
internal sealed record CliResult(int ExitCode, string Out, string Error)
{
    public JsonNode Json => JsonNode.Parse(Out) ?? throw new InvalidOperationException("standard output is null");

    public static Task<CliResult> OfAsync(params string[] arguments) => OfAsync("", ImmutableSortedDictionary<string, string>.Empty, arguments);

    public static async Task<CliResult> OfAsync(string input, ImmutableSortedDictionary<string, string> environment, params string[] arguments)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        var host = new CliHost(new StringReader(input), output, error, Terminal: false, ReadSecret: null, environment);
        var exitCode = await CommandLine.RunAsync(arguments, host);
        return new CliResult(exitCode, output.ToString(), error.ToString());
    }
}
