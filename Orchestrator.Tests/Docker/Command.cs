using System.Diagnostics;

namespace Orchestrator.Tests.Docker;

/// <summary>A program run to its end, with all that it wrote in the failure.</summary>
internal static class Command
{
    /// <summary>Installs a Debian package unless its program is there.</summary>
    public static async Task EnsureAsync(string program, string package)
    {
        if (File.Exists(program)) return;
        await RunAsync("apt-get", "update");
        await RunAsync("apt-get", "install", "-y", "--no-install-recommends", package);
    }

    public static async Task<string> RunAsync(string program, params string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync();
        var error = process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        return process.ExitCode == 0
            ? (await output).Trim()
            : throw new InvalidOperationException($"{program} {string.Join(' ', arguments)} exited with {process.ExitCode}: {await output}{await error}");
    }
}
