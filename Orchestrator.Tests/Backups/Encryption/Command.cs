using System.Diagnostics;

namespace Orchestrator.Tests.Backups.Encryption;

/// <summary>Another program, fed and read as bytes.</summary>
internal static class Command
{
    /// <returns>Exit code, output, and what it said on its error output.</returns>
    public static async Task<(int Code, byte[] Output, string Errors)> RunAsync(string program, string[] arguments, byte[]? input = null)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        }) ?? throw new InvalidOperationException($"{program} did not start");
        using var output = new MemoryStream();
        var reading = process.StandardOutput.BaseStream.CopyToAsync(output);
        var errors = process.StandardError.ReadToEndAsync();
        try
        {
            await process.StandardInput.BaseStream.WriteAsync(input ?? []);
            process.StandardInput.Close();
        }
        catch (IOException)
        {
            TestContext.Out.WriteLine($"{program} did not want all of its input");
        }

        await reading;
        await process.WaitForExitAsync();
        return (process.ExitCode, output.ToArray(), await errors);
    }
}
