namespace Orchestrator.Traffic;

/// <summary>How an upstream empties, or one of its replicas: the WebSockets, the deadlines, and the report.</summary>
internal sealed class UpstreamDrain(TimeProvider time)
{
    // What was cut off needs a moment to unwind before it is really gone; it does not get longer than this.
    private static readonly TimeSpan Unwinding = TimeSpan.FromSeconds(5);

    private readonly TaskCompletionSource _empty = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Lock _gate = new();
    private readonly HashSet<WebSocketSession> _sessions = [];
    private readonly EventStreamDrain _events = new(time);

    public int WebSockets
    {
        get
        {
            lock (_gate)
                return _sessions.Count;
        }
    }

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

    /// <summary>Nothing is under way on the whole of it.</summary>
    public void Emptied() => _empty.TrySetResult();

    /// <summary>Empties all of it.</summary>
    /// <param name="underWay">Leases at the moment of closing.</param>
    public Task<DrainReport> RunAsync(DrainBudget budget, int underWay, Replica[] replicas)
    {
        if (underWay == 0)
            Emptied();
        return EmptyAsync(budget, underWay, new Part(_empty.Task, replicas, _ => true));
    }

    /// <summary>Empties one replica; the others go on with what they have.</summary>
    public Task<DrainReport> LetGoAsync(DrainBudget budget, int index, Replica replica)
    {
        var empty = replica.EmptyAsync();
        return EmptyAsync(budget, replica.InFlight, new Part(empty, [replica], at => at == index));
    }

    private async Task<DrainReport> EmptyAsync(DrainBudget budget, int underWay, Part part)
    {
        var started = time.GetTimestamp();
        var webSockets = Math.Min(Sessions(part).Length, underWay);
        var streams = _events.Ended;
        var http = EndHttpAsync(budget.Http, part);
        var sockets = EndWebSocketsAsync(budget.WebSocket, part);
        await Task.WhenAll(http, sockets, _events.RunAsync(budget.Http, part.Empty, part.Holds));
        await EmptyWithinAsync(part, Unwinding);

        var httpAborted = Math.Min(await http, underWay - webSockets);
        var webSocketsAborted = Math.Min(await sockets, webSockets);
        return new DrainReport(underWay - webSockets - httpAborted, httpAborted, webSockets - webSocketsAborted, webSocketsAborted, time.GetElapsedTime(started))
        {
            EventStreamsEnded = _events.Ended - streams,
        };
    }

    /// <returns>How many were cut off.</returns>
    private async Task<int> EndHttpAsync(TimeSpan budget, Part part)
    {
        if (await EmptyWithinAsync(part, budget))
            return 0;

        // Event streams in the middle of an event have a moment more; without any, this is the deadline.
        if (_events.Any(part.Holds) && await EmptyWithinAsync(part, EventStreamDrain.Grace * 2))
            return 0;

        var aborted = Math.Max(0, part.InFlight - Sessions(part).Length);
        await Task.WhenAll(part.Replicas.Select(replica => replica.CutHttpAsync()));
        return aborted;
    }

    /// <returns>How many were cut off.</returns>
    private async Task<int> EndWebSocketsAsync(TimeSpan budget, Part part)
    {
        // Half of the time to end by themselves; then they are asked one after the other, in no order and at no beat, so that their clients do not come
        // back to the new colour all at once.
        if (await EmptyWithinAsync(part, budget / 2))
            return 0;

        var asked = Sessions(part);
        Random.Shared.Shuffle(asked);
        var closing = new List<Task>(asked.Length);
        foreach (var session in asked)
        {
            closing.Add(session.CloseAsync());
            if (await EmptyWithinAsync(part, budget * 0.4 / asked.Length * (0.5 + (Random.Shared.NextDouble() / 2))))
                break;
        }

        if (asked.Length == 0)
            await EmptyWithinAsync(part, budget * 0.4);

        // Those that have opened meanwhile, too.
        closing.AddRange(Sessions(part).Except(asked).Select(session => session.CloseAsync()));
        var aborted = 0;
        if (!await EmptyWithinAsync(part, budget * 0.1))
        {
            var left = Sessions(part);
            aborted = left.Length;
            foreach (var session in left)
                session.Abort();
        }

        await Task.WhenAll(closing);
        return aborted;
    }

    private WebSocketSession[] Sessions(Part part)
    {
        lock (_gate)
            return [.. _sessions.Where(session => part.Holds(session.Replica))];
    }

    private async Task<bool> EmptyWithinAsync(Part part, TimeSpan limit)
    {
        await part.Empty.WaitAsync(limit, time).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
        return part.Empty.IsCompleted;
    }

    /// <summary>What is emptied.</summary>
    /// <param name="Empty">Completes when nothing is under way on it.</param>
    /// <param name="Holds">Whether the replica at that place is of it.</param>
    private sealed record Part(Task Empty, Replica[] Replicas, Func<int, bool> Holds)
    {
        public int InFlight => Replicas.Sum(replica => replica.InFlight);
    }
}
