using System.Diagnostics;

namespace Orchestrator.Tests.GardenApp;

/// <summary>The <c>docker</c> command, for what the tests of GardenApp need around it.</summary>
internal static class DockerCli
{
    internal const string Registry = "localhost:5000/basmalin";

    /// <summary>Standard output, trimmed. Fails the test, with what docker said, when it fails.</summary>
    internal static async Task<string> RunAsync(params string[] arguments)
    {
        var (exitCode, output, error) = await TryAsync(arguments);
        return exitCode == 0 ? output.Trim() : throw new InvalidOperationException($"docker {string.Join(' ', arguments)} exited with {exitCode}: {error.Trim()}{output.Trim()}");
    }

    internal static async Task<(int ExitCode, string Output, string Error)> TryAsync(params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo("docker", arguments) { RedirectStandardOutput = true, RedirectStandardError = true })
            ?? throw new InvalidOperationException("docker did not start");
        var error = process.StandardError.ReadToEndAsync();
        var output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        return (process.ExitCode, output, await error);
    }

    /// <summary>Fails loudly, and says what to do, when an image is not here.</summary>
    internal static async Task RequireImageAsync(string name)
    {
        var (exitCode, _, error) = await TryAsync("image", "inspect", "--format", "{{.Id}}", $"{Registry}/{name}");
        if (exitCode != 0) Assert.Fail($"The image {Registry}/{name} is not here: run docker/prepare.sh ({error.Trim()})");
    }
}
