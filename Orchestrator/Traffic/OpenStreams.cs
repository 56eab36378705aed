namespace Orchestrator.Traffic;

/// <summary>WebSockets and event streams of all upstreams: what does not end by itself when the daemon stops.</summary>
internal sealed class OpenStreams(TimeProvider time)
{
    private readonly Lock _gate = new();
    private readonly HashSet<WebSocketSession> _sockets = [];
    private readonly HashSet<EventStreamSession> _events = [];

    public int Count
    {
        get
        {
            lock (_gate)
                return _sockets.Count + _events.Count;
        }
    }

    public void Attach(WebSocketSession session)
    {
        lock (_gate)
            _sockets.Add(session);
    }

    public void Detach(WebSocketSession session)
    {
        lock (_gate)
            _sockets.Remove(session);
    }

    public void Attach(EventStreamSession stream)
    {
        lock (_gate)
            _events.Add(stream);
    }

    public void Detach(EventStreamSession stream)
    {
        lock (_gate)
            _events.Remove(stream);
    }

    /// <summary>
    /// Asks all of them to end, in no order, over <paramref name="spread"/>: WebSockets by a close frame with 1012, event streams after a whole event.
    /// Returns when they have, or shortly after.
    /// </summary>
    public async Task EndAsync(TimeSpan spread)
    {
        var (sockets, events) = Open();
        var ends = new List<Func<Task>>([.. sockets.Select(socket => (Func<Task>)socket.CloseAsync), .. events.Select(stream => (Func<Task>)(() => End(stream)))]);
        var order = ends.ToArray();
        Random.Shared.Shuffle(order);

        var ending = new List<Task>(order.Length);
        var started = time.GetTimestamp();
        for (var i = 0; i < order.Length; i++)
        {
            var early = (spread * ((double)i / order.Length)) - time.GetElapsedTime(started);
            if (early > TimeSpan.FromMilliseconds(1))
                await Task.Delay(early, time);
            ending.Add(order[i]());
        }

        await Task.WhenAll(ending);
        if (events.Length == 0)
            return;

        await Task.Delay(EventStreamDrain.Grace, time);
        foreach (var stuck in Open().Events)
            stuck.EndNow();
    }

    private static Task End(EventStreamSession stream)
    {
        stream.End();
        return Task.CompletedTask;
    }

    private (WebSocketSession[] Sockets, EventStreamSession[] Events) Open()
    {
        lock (_gate)
            return ([.. _sockets], [.. _events]);
    }
}
