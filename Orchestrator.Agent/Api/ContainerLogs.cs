using System.Runtime.CompilerServices;
using System.Threading.Channels;
using Orchestrator.Agent.Api.Contracts;
using Orchestrator.Docker;

namespace Orchestrator.Agent.Api;

/// <param name="Service">Null: all.</param>
/// <param name="Text">Only lines that contain it, without regard to case. Null: all.</param>
/// <param name="Lines">Of each container.</param>
internal sealed record LogQuery(string Stack, string? Service, string? Text, int Lines)
{
    public bool Wants(ObservedContainer container) => Service is null || container.Service == Service;

    public bool Wants(LogLine line) => Text is null || line.Text.Contains(Text, StringComparison.OrdinalIgnoreCase);
}

/// <summary>Lines of several containers as one.</summary>
internal sealed partial class ContainerLogs(IContainerEngine engine, ILogger<ContainerLogs> logger)
{
    public async Task<LogLineResponse[]> TailAsync(LogQuery query, IReadOnlyCollection<ObservedContainer> containers, CancellationToken cancellationToken)
    {
        var tails = await Task.WhenAll(containers.Select(async container =>
            (await engine.TailAsync(container.Id, query.Lines, cancellationToken)).Where(query.Wants).Select(line => From(container, line))));
        return [.. tails.SelectMany(lines => lines).OrderBy(line => line.At)];
    }

    /// <summary>The last lines, then what follows; containers that are started meanwhile join in. Ends when the daemon stops.</summary>
    public async IAsyncEnumerable<LogLineResponse> FollowAsync(
        LogQuery query,
        IReadOnlyCollection<ObservedContainer> containers,
        CancellationToken stopping,
        [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        using var end = CancellationTokenSource.CreateLinkedTokenSource(stopping, cancellationToken);

        // Full: the containers' lines wait in the engine until the reader has caught up; nothing is dropped.
        var lines = Channel.CreateBounded<LogLineResponse>(new BoundedChannelOptions(256) { FullMode = BoundedChannelFullMode.Wait });
        var reading = ReadAllAsync(query, containers, lines.Writer, end.Token);
        try
        {
            while (await lines.Reader.WaitToReadAsync(CancellationToken.None))
            {
                while (lines.Reader.TryRead(out var line)) yield return line;
            }
        }
        finally
        {
            await end.CancelAsync();
            await reading;
        }
    }

    private async Task ReadAllAsync(LogQuery query, IReadOnlyCollection<ObservedContainer> containers, ChannelWriter<LogLineResponse> writer, CancellationToken cancellationToken)
    {
        var reading = new List<Task>();
        var known = containers.Select(container => container.Id).ToHashSet();
        try
        {
            reading.AddRange(containers.Select(container => ReadAsync(container, query, writer, cancellationToken)));
            await foreach (var happened in engine.EventsAsync(null, cancellationToken))
            {
                if (happened.Action != "start" || !known.Add(happened.Container)) continue;
                if (await engine.InspectAsync(happened.Container, cancellationToken) is not { } container || container.Stack != query.Stack || !query.Wants(container)) continue;

                reading.Add(ReadAsync(container, query, writer, cancellationToken));
            }
        }
        catch (Exception exception) when (exception is OperationCanceledException or EngineException)
        {
            LogEnded(query.Stack, exception.Message);
        }

        await Task.WhenAll(reading);
        writer.Complete();
    }

    private async Task ReadAsync(ObservedContainer container, LogQuery query, ChannelWriter<LogLineResponse> writer, CancellationToken cancellationToken)
    {
        try
        {
            await foreach (var line in engine.FollowAsync(container.Id, query.Lines, cancellationToken))
            {
                if (query.Wants(line)) await writer.WriteAsync(From(container, line), cancellationToken);
            }
        }
        catch (Exception exception) when (exception is OperationCanceledException or EngineException)
        {
            LogEnded(query.Stack, exception.Message);
        }
    }

    private static LogLineResponse From(ObservedContainer container, LogLine line) =>
        new(line.At, container.Service, container.Name, line.IsError ? "stderr" : "stdout", line.Text);

    [LoggerMessage(EventId = 9001, Level = LogLevel.Debug, Message = "Following the logs of {Stack} ended: {Reason}")]
    private partial void LogEnded(string stack, string reason);
}
