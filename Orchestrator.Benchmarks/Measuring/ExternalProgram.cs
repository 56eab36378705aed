using System.Diagnostics;

namespace Orchestrator.Benchmarks.Measuring;

/// <summary>Runs a program to its end, or lets one run.</summary>
internal static class ExternalProgram
{
    /// <summary>Starts it in a session of its own: an interrupt from the terminal is not for it.</summary>
    /// <param name="output">A file that everything it says is added to.</param>
    public static Process Start(string program, IEnumerable<string> arguments, string output) =>
        Process.Start(new ProcessStartInfo("/bin/sh", ["-c", "log=$1; shift; exec setsid \"$@\" >>\"$log\" 2>&1", "sh", output, program, .. arguments]))
        ?? throw new InvalidOperationException($"{program} cannot be started.");

    /// <returns>Its standard output.</returns>
    /// <exception cref="InvalidOperationException">It could not be started or did not exit with 0; the message has what it said.</exception>
    public static async Task<string> RunAsync(string program, IEnumerable<string> arguments, CancellationToken cancellationToken)
    {
        var list = arguments.ToList();
        using var process = Process.Start(new ProcessStartInfo(program, list) { RedirectStandardOutput = true, RedirectStandardError = true })
            ?? throw new InvalidOperationException($"{program} cannot be started.");
        var output = process.StandardOutput.ReadToEndAsync(cancellationToken);
        var errors = process.StandardError.ReadToEndAsync(cancellationToken);
        try
        {
            await process.WaitForExitAsync(cancellationToken);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            throw;
        }

        return process.ExitCode == 0 ? await output : throw new InvalidOperationException($"{program} {string.Join(' ', list)} exited with {process.ExitCode}:\n{await output}{await errors}");
    }
}
