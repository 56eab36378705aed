using System.Diagnostics;

namespace Orchestrator.Tests.Docker;

/// <summary>A program run to its end, with all that it wrote in the failure.</summary>
internal static class Command
{
    public static Task<string> RunAsync(string program, params string[] arguments) => RunAsync(program, null, arguments);

    public static async Task<string> RunAsync(string program, Action<ProcessStartInfo>? change, params string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        change?.Invoke(start);
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync();
        var error = process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        return process.ExitCode == 0
            ? (await output).Trim()
            : throw new InvalidOperationException($"{program} {string.Join(' ', arguments)} exited with {process.ExitCode}: {await output}{await error}");
    }
}
