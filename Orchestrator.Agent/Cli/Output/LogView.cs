using System.Globalization;
using Orchestrator.Agent.Api.Contracts;

namespace Orchestrator.Agent.Cli.Output;

internal static class LogView
{
    public static void Write(TextWriter output, LogLineResponse line) =>
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{line.At.UtcDateTime:yyyy-MM-dd'T'HH:mm:ss.fff'Z'} {line.Container} {Printable(line.Text)}"));

    /// <summary>A container must not drive the terminal of the one who reads its log.</summary>
    private static string Printable(string text) =>
        text.Any(letter => char.IsControl(letter) && letter != '\t') ? new([.. text.Select(letter => char.IsControl(letter) && letter != '\t' ? '\uFFFD' : letter)]) : text;
}
