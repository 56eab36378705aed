using System.Collections.Immutable;
using Orchestrator.Agent.Hosting;

namespace Orchestrator.Agent.Cli;

/// <summary>The surroundings of a command line: its streams and variables.</summary>
/// <param name="Terminal">Standard output is watched by a person.</param>
/// <param name="ReadSecret">Asks for a value without showing it; null: standard input is not a terminal.</param>
internal sealed record CliHost(
    TextReader In,
    TextWriter Out,
    TextWriter Error,
    bool Terminal,
    Func<string, string>? ReadSecret,
    ImmutableSortedDictionary<string, string> Environment)
{
    public TimeProvider Time { get; init; } = TimeProvider.System;

    public static CliHost OfProcess() => new(
        Console.In,
        Console.Out,
        Console.Error,
        !Console.IsOutputRedirected,
        Console.IsInputRedirected ? null : AskWithoutEcho,
        AgentFile.ProcessEnvironment());

    private static string AskWithoutEcho(string question)
    {
        Console.Error.Write(question);
        var value = new System.Text.StringBuilder();
        for (var key = Console.ReadKey(intercept: true); key.Key != ConsoleKey.Enter; key = Console.ReadKey(intercept: true))
        {
            if (key.Key == ConsoleKey.Backspace && value.Length > 0) value.Length--;
            else if (!char.IsControl(key.KeyChar)) value.Append(key.KeyChar);
        }

        Console.Error.WriteLine();
        return value.ToString();
    }
}
