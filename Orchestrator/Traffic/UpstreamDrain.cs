using System.Diagnostics.CodeAnalysis;

namespace Orchestrator.Traffic;

/// <summary>How an upstream empties: its WebSockets, the deadlines, and the report.</summary>
[SuppressMessage("Design", "CA1001", Justification = "A source without a timer holds nothing; requests may look at its token at any time.")]
internal sealed class UpstreamDrain(Upstream upstream, TimeProvider time)
{
    // What was cut off needs a moment to unwind before it is really gone; it does not get longer than this.
    private static readonly TimeSpan Unwinding = TimeSpan.FromSeconds(5);

    private readonly TaskCompletionSource _empty = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly CancellationTokenSource _httpDeadline = new();
    private readonly Lock _gate = new();
    private readonly HashSet<WebSocketSession> _sessions = [];
    private readonly EventStreamDrain _events = new(time);
    private int _httpAborted;
    private int _webSocketsAborted;

    public int WebSockets
    {
        get
        {
            lock (_gate)
                return _sessions.Count;
        }
    }

    public CancellationToken HttpDeadline => _httpDeadline.Token;

    public void Attach(WebSocketSession session)
    {
        lock (_gate)
            _sessions.Add(session);
    }

    public void Detach(WebSocketSession session)
    {
        lock (_gate)
            _sessions.Remove(session);
    }

    public void Attach(EventStreamSession stream) => _events.Attach(stream);

    public void Detach(EventStreamSession stream) => _events.Detach(stream);

    public void Emptied() => _empty.TrySetResult();

    /// <param name="underWay">Leases at the moment of closing.</param>
    public async Task<DrainReport> RunAsync(DrainBudget budget, int underWay)
    {
        var started = time.GetTimestamp();
        var webSockets = Math.Min(WebSockets, underWay);
        if (underWay == 0)
            Emptied();

        await Task.WhenAll(EndHttpAsync(budget.Http), EndWebSocketsAsync(budget.WebSocket), _events.RunAsync(budget.Http, _empty.Task));
        await EmptyWithinAsync(Unwinding);

        var httpAborted = Math.Min(_httpAborted, underWay - webSockets);
        var webSocketsAborted = Math.Min(_webSocketsAborted, webSockets);
        return new DrainReport(underWay - webSockets - httpAborted, httpAborted, webSockets - webSocketsAborted, webSocketsAborted, time.GetElapsedTime(started))
        {
            EventStreamsEnded = _events.Ended,
        };
    }

    private async Task EndHttpAsync(TimeSpan budget)
    {
        if (await EmptyWithinAsync(budget))
            return;

        // Event streams in the middle of an event have a moment more; without any, this is the deadline.
        if (_events.Any && await EmptyWithinAsync(EventStreamDrain.Grace * 2))
            return;

        _httpAborted = Math.Max(0, upstream.InFlight - WebSockets);
        await _httpDeadline.CancelAsync();
    }

    private async Task EndWebSocketsAsync(TimeSpan budget)
    {
        // Half of the time to end by themselves; then they are asked one after the other, in no order and at no beat, so that their clients do not come
        // back to the new colour all at once.
        if (await EmptyWithinAsync(budget / 2))
            return;

        var asked = Sessions();
        Random.Shared.Shuffle(asked);
        var closing = new List<Task>(asked.Length);
        foreach (var session in asked)
        {
            closing.Add(session.CloseAsync());
            if (await EmptyWithinAsync(budget * 0.4 / asked.Length * (0.5 + (Random.Shared.NextDouble() / 2))))
                break;
        }

        if (asked.Length == 0)
            await EmptyWithinAsync(budget * 0.4);
        if (!await EmptyWithinAsync(budget * 0.1))
        {
            var left = Sessions();
            _webSocketsAborted = left.Length;
            foreach (var session in left)
                session.Abort();
        }

        await Task.WhenAll(closing);
    }

    private WebSocketSession[] Sessions()
    {
        lock (_gate)
            return [.. _sessions];
    }

    private async Task<bool> EmptyWithinAsync(TimeSpan limit)
    {
        await _empty.Task.WaitAsync(limit, time).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
        return _empty.Task.IsCompleted;
    }
}
