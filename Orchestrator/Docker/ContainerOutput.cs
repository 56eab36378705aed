using System.Buffers;
using System.Collections.Immutable;
using System.Globalization;
using System.Runtime.CompilerServices;
using Docker.DotNet;
using Docker.DotNet.Models;

namespace Orchestrator.Docker;

/// <summary>What containers write, and commands run inside them.</summary>
internal sealed class ContainerOutput(EngineConnection engine)
{
    private const int BufferSize = 32 * 1024;
    private const int KeptOutput = 64 * 1024;

    private static readonly TimeSpan ExitPoll = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan ExitPatience = TimeSpan.FromSeconds(10);

    public async Task<ImmutableArray<LogLine>> TailAsync(ContainerId id, int lines, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(lines);
        var read = new List<LogLine>(lines);
        await foreach (var line in ReadAsync(id, lines, follow: false, cancellationToken)) read.Add(line);
        // The engine counts messages, of which a long line has many, and each stream is put together by itself.
        return [.. read.OrderBy(line => line.At).TakeLast(lines)];
    }

    public IAsyncEnumerable<LogLine> FollowAsync(ContainerId id, int lines, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(lines);
        return ReadAsync(id, lines, follow: true, cancellationToken);
    }

    public async Task<ExecResult> ExecAsync(ContainerId id, ImmutableArray<string> command, Stream? output, CancellationToken cancellationToken)
    {
        // Arguments may be passwords; the program's name is enough to know which command it was.
        var what = $"run {command.FirstOrDefault("nothing")} in container {id}";
        var exec = await engine.CallAsync(
            new EngineCall(what) { Once = true, Secrets = command },
            (client, token) => client.Exec.CreateContainerExecAsync(
                id.Value, new ContainerExecCreateParameters { AttachStdout = true, AttachStderr = true, Cmd = [.. command] }, token),
            cancellationToken);
        using var stream = await engine.CallAsync(
            new EngineCall(what) { Once = true, Secrets = command },
            (client, token) => client.Exec.StartContainerExecAsync(exec.ID, new ContainerExecStartParameters(), token),
            cancellationToken);

        var kept = new BoundedText(KeptOutput);
        await CopyAsync(what, stream, kept, output, cancellationToken);
        return new ExecResult(await ExitCodeAsync(what, exec.ID, cancellationToken), kept.ToString());
    }

    private async IAsyncEnumerable<LogLine> ReadAsync(ContainerId id, int lines, bool follow, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var what = $"read the log of container {id}";
        var parameters = new ContainerLogsParameters
        {
            ShowStdout = true,
            ShowStderr = true,
            Timestamps = true,
            Follow = follow,
            Tail = lines.ToString(CultureInfo.InvariantCulture),
        };
        using var stream = await engine.CallAsync(
            new EngineCall(what), (client, token) => client.Containers.GetContainerLogsAsync(id.Value, parameters, token), cancellationToken);
        using var silence = new Silence(follow ? Timeout.InfiniteTimeSpan : engine.Options.TailSilence, engine.Time, cancellationToken);

        var (standard, error) = (new LogAssembler(isError: false), new LogAssembler(isError: true));
        var complete = new List<LogLine>();
        var buffer = ArrayPool<byte>.Shared.Rent(BufferSize);
        try
        {
            while (await silence.BreakAsync(what, token => ReadAsync(what, stream, buffer, token)) is { EOF: false } read)
            {
                (read.Target == MultiplexedStream.TargetStream.StandardError ? error : standard).Append(buffer.AsSpan(0, read.Count), complete);
                foreach (var line in complete) yield return line;
                complete.Clear();
            }

            standard.Complete(complete);
            error.Complete(complete);
            foreach (var line in complete) yield return line;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private static async Task CopyAsync(string what, MultiplexedStream stream, BoundedText kept, Stream? output, CancellationToken cancellationToken)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(BufferSize);
        try
        {
            while (await ReadAsync(what, stream, buffer, cancellationToken) is { EOF: false } read)
            {
                if (output is not null && read.Target == MultiplexedStream.TargetStream.StandardOut)
                    await output.WriteAsync(buffer.AsMemory(0, read.Count), cancellationToken);
                else
                    kept.Append(buffer.AsSpan(0, read.Count));
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private static async Task<MultiplexedStream.ReadResult> ReadAsync(string what, MultiplexedStream stream, byte[] buffer, CancellationToken cancellationToken)
    {
        try
        {
            return await stream.ReadOutputAsync(buffer, 0, buffer.Length, cancellationToken);
        }
        catch (Exception exception) when (exception is not OperationCanceledException)
        {
            cancellationToken.ThrowIfCancellationRequested();
            throw EngineFaults.Translate(what, exception, []);
        }
    }

    /// <summary>The output ends a moment before the engine knows the exit code.</summary>
    private async Task<long> ExitCodeAsync(string what, string exec, CancellationToken cancellationToken)
    {
        var began = engine.Time.GetTimestamp();
        using var ticks = new PeriodicTimer(ExitPoll, engine.Time);
        while (true)
        {
            var seen = await engine.CallAsync(new EngineCall(what), (client, token) => client.Exec.InspectContainerExecAsync(exec, token), cancellationToken);
            if (seen is { Running: false, ExitCode: { } code }) return code;
            if (engine.Time.GetElapsedTime(began) > ExitPatience)
                throw new EngineException(EngineFault.TimedOut, $"Could not {what}: its output ended, but the engine does not say how it exited", null);
            await ticks.WaitForNextTickAsync(cancellationToken);
        }
    }
}
