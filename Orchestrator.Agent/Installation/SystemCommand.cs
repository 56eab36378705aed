using System.ComponentModel;
using System.Diagnostics;

namespace Orchestrator.Agent.Installation;

/// <param name="ExitCode">-1: it did not end in time, or could not be started.</param>
internal sealed record CommandResult(int ExitCode, string Output, string Error)
{
    public bool Ok => ExitCode == 0;

    /// <summary>What it said, for people.</summary>
    public string Said => string.Join('\n', ((string[])[Error.Trim(), Output.Trim()]).Where(text => text.Length > 0));
}

/// <summary>Runs a program of the machine: systemctl, journalctl and the like.</summary>
internal static class SystemCommand
{
    public static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    public static async Task<CommandResult> RunAsync(string program, IEnumerable<string> arguments, TimeSpan limit, CancellationToken cancellationToken)
    {
        try
        {
            using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true })
                ?? throw new Win32Exception("it could not be started");
            process.StandardInput.Close();
            var (output, error) = (process.StandardOutput.ReadToEndAsync(CancellationToken.None), process.StandardError.ReadToEndAsync(CancellationToken.None));
            using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            patience.CancelAfter(limit);
            try
            {
                await process.WaitForExitAsync(patience.Token);
            }
            catch (OperationCanceledException)
            {
                process.Kill(entireProcessTree: true);
                cancellationToken.ThrowIfCancellationRequested();
                return new CommandResult(-1, "", $"{program} did not end within {limit.TotalSeconds:0} s");
            }

            return new CommandResult(process.ExitCode, await output, await error);
        }
        catch (Win32Exception exception)
        {
            return new CommandResult(-1, "", $"{program}: {exception.Message}");
        }
    }

    /// <exception cref="InstallException">It fails.</exception>
    public static async Task<string> RequireAsync(string program, IReadOnlyCollection<string> arguments, string? hint, CancellationToken cancellationToken)
    {
        var result = await RunAsync(program, arguments, Patience, cancellationToken);
        return result.Ok ? result.Output : throw new InstallException($"{program} {string.Join(' ', arguments)} failed", result.Said, hint);
    }
}
