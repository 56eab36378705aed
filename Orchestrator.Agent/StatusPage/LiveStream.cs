using System.Net.ServerSentEvents;
using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using System.Threading.Channels;
using Orchestrator.Deployments;

namespace Orchestrator.Agent.StatusPage;

/// <summary>The stream of changes that one open page listens to.</summary>
internal sealed class LiveStream(StatusFeed feed, StatusBoard board, TrafficPulse pulse, Assets assets, TimeProvider time)
{
    private static readonly TimeSpan Tick = TimeSpan.FromSeconds(2);

    /// <summary>Between two looks, so that a burst of progress is drawn once.</summary>
    private static readonly TimeSpan Breath = TimeSpan.FromMilliseconds(100);

    /// <param name="mayStay">Asked every few seconds: a token that is revoked is worthless at once, also to a page that is open.</param>
    public async IAsyncEnumerable<SseItem<string>> RunAsync(
        Visitor visitor, Func<CancellationToken, Task<bool>> mayStay, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        using var ends = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);

        // Drops the oldest: each event holds the whole deployment, so the newest says it all.
        var signals = Channel.CreateBounded<Signal>(new BoundedChannelOptions(64) { FullMode = BoundedChannelFullMode.DropOldest });
        Task[] sources = [WatchAsync(signals.Writer, ends.Token), TickAsync(signals.Writer, mayStay, ends.Token)];
        try
        {
            var view = new LiveView(visitor, pulse);
            yield return Item("hello", new(assets.Bundle, Now()), LiveJson.Default.HelloMessage);
            var seen = Board.Empty;
            while (await NextAsync(signals.Reader, view, seen, ends.Token) is { } now)
            {
                seen = now;
                if (view.Changes(seen) is { IsEmpty: false } pieces) yield return Item("patch", new(Now(), pieces), LiveJson.Default.PatchMessage);
                if (view.Pulse(seen) is { IsEmpty: false } points) yield return Item("pulse", new(Now(), points), LiveJson.Default.PulseMessage);
            }
        }
        finally
        {
            await ends.CancelAsync();
            await Task.WhenAll(sources);
        }
    }

    /// <summary>Waits for something to happen and takes it in. Null: the stream is over, which is how every stream ends.</summary>
    private async Task<Board?> NextAsync(ChannelReader<Signal> signals, LiveView view, Board seen, CancellationToken cancellationToken)
    {
        try
        {
            if (!await signals.WaitToReadAsync(cancellationToken)) return null;
            if (seen.ReadAt > DateTimeOffset.MinValue) await Task.Delay(Breath, time, cancellationToken);

            var notBefore = seen.ReadAt + Tick - Breath;
            while (signals.TryRead(out var signal))
            {
                if (signal.Happened is not { } happened) continue;
                view.Note(happened);
                seen = seen.With(happened.Deployment);

                // A line of progress says all of itself; a step that has ended may have moved containers, routes and releases.
                if (happened.Message is null) notBefore = signal.At;
            }

            var now = time.GetUtcNow();
            var read = notBefore > now ? seen : await board.ReadAsync(notBefore, cancellationToken);
            return read.ReadAt > seen.ReadAt || read.Problem != seen.Problem ? read : seen;
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            return null;
        }
    }

    private async Task WatchAsync(ChannelWriter<Signal> signals, CancellationToken cancellationToken)
    {
        try
        {
            await foreach (var happened in feed.Watch(cancellationToken)) signals.TryWrite(new(time.GetUtcNow(), happened));
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // The page was closed, or the stream's time is over.
        }
    }

    private async Task TickAsync(ChannelWriter<Signal> signals, Func<CancellationToken, Task<bool>> mayStay, CancellationToken cancellationToken)
    {
        using var ticks = new PeriodicTimer(Tick, time);
        try
        {
            do signals.TryWrite(new(time.GetUtcNow(), null));
            while (await ticks.WaitForNextTickAsync(cancellationToken) && await mayStay(cancellationToken));
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // As above.
        }
        finally
        {
            signals.TryComplete();
        }
    }

    private static SseItem<string> Item<T>(string kind, T message, JsonTypeInfo<T> json) => new(JsonSerializer.Serialize(message, json), kind);

    private long Now() => time.GetUtcNow().ToUnixTimeMilliseconds();

    /// <param name="Happened">Null: time has passed.</param>
    private readonly record struct Signal(DateTimeOffset At, DeploymentEvent? Happened);
}
