namespace Orchestrator.Traffic;

/// <summary>
/// How the event streams of an upstream end: in the last fifth of the time, one after the other in no order, so that their readers do not all come
/// back at once; each after a whole event.
/// </summary>
internal sealed class EventStreamDrain(TimeProvider time)
{
    /// <summary>How long a stream in the middle of an event may take to end it, once the time is over.</summary>
    public static readonly TimeSpan Grace = TimeSpan.FromMilliseconds(500);

    private readonly Lock _gate = new();
    private readonly HashSet<EventStreamSession> _streams = [];
    private int _ended;
    private Func<int, bool> _isOver = _ => false;

    /// <summary>Streams that were asked to end, and have ended.</summary>
    public int Ended => Volatile.Read(ref _ended);

    public void Attach(EventStreamSession stream)
    {
        lock (_gate)
        {
            _streams.Add(stream);
            if (!_isOver(stream.Replica))
                return;
        }

        stream.End();
    }

    public void Detach(EventStreamSession stream)
    {
        lock (_gate)
        {
            if (_streams.Remove(stream) && stream.Asked)
                _ended++;
        }
    }

    /// <param name="holds">Which replicas are meant, by their place.</param>
    public bool Any(Func<int, bool> holds) => Streams(holds).Length > 0;

    /// <param name="empty">Completes when nothing at all is left on them.</param>
    /// <param name="holds">Which replicas are meant, by their place.</param>
    public async Task RunAsync(TimeSpan budget, Task empty, Func<int, bool> holds)
    {
        var started = time.GetTimestamp();
        if (await EndedWithinAsync(empty, budget * 0.8))
            return;

        var asked = Streams(holds);
        Random.Shared.Shuffle(asked);
        foreach (var stream in asked)
        {
            stream.End();
            if (await EndedWithinAsync(empty, budget * 0.2 / asked.Length * (0.5 + (Random.Shared.NextDouble() / 2))))
                return;
        }

        lock (_gate)
        {
            var before = _isOver;
            _isOver = replica => before(replica) || holds(replica);
        }

        foreach (var late in Streams(holds))
            late.End();
        var rest = budget - time.GetElapsedTime(started);
        if (!Any(holds) || await EndedWithinAsync(empty, (rest > TimeSpan.Zero ? rest : TimeSpan.Zero) + Grace))
            return;

        foreach (var stuck in Streams(holds))
            stuck.EndNow();
    }

    private EventStreamSession[] Streams(Func<int, bool> holds)
    {
        lock (_gate)
            return [.. _streams.Where(stream => holds(stream.Replica))];
    }

    private async Task<bool> EndedWithinAsync(Task empty, TimeSpan limit)
    {
        await empty.WaitAsync(limit, time).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
        return empty.IsCompleted;
    }
}
