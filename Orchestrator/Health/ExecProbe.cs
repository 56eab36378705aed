using System.Collections.Immutable;
using Orchestrator.Docker;

namespace Orchestrator.Health;

/// <summary>Healthy when a command in the container ends with 0.</summary>
public sealed class ExecProbe(IContainerEngine engine, ContainerId id, ImmutableArray<string> command, TimeSpan timeout, TimeProvider time) : IHealthProbe
{
    // Not the arguments: a password may be among them.
    private readonly string _asked = $"exec {command[0]}{(command.Length > 1 ? " …" : "")} in {id}";

    public async Task<ProbeResult> ProbeAsync(CancellationToken cancellationToken)
    {
        using var limit = new CancellationTokenSource(timeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, limit.Token);
        try
        {
            var result = await engine.ExecAsync(id, command, output: null, either.Token);
            var said = string.IsNullOrWhiteSpace(result.Output) ? "" : $": {Excerpt.Of(result.Output)}";
            return result.ExitCode == 0
                ? new ProbeResult(true, $"{_asked}: exit code 0")
                : new ProbeResult(false, $"{_asked}: exit code {result.ExitCode}{said}") { Hint = HintFor(result) };
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return new ProbeResult(false, $"{_asked}: not done within {HttpProbe.Seconds(timeout)}") { Hint = ProbeHint.TooSlow };
        }
        catch (EngineException failure)
        {
            return new ProbeResult(false, $"{_asked}: {failure.Message}") { Hint = ProbeHints.FromOutput(failure.Message) };
        }
    }

    // 126 and 127 are the shell's words for "cannot be run" and "not found"; the engine uses them as well.
    private static ProbeHint? HintFor(ExecResult result) => result.ExitCode is 126 or 127 ? ProbeHint.MissingFile : ProbeHints.FromOutput(result.Output);
}
