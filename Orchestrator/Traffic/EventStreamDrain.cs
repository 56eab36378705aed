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
    private bool _over;

    public bool Any
    {
        get
        {
            lock (_gate)
                return _streams.Count > 0;
        }
    }

    /// <summary>Streams that were asked to end, and have ended.</summary>
    public int Ended => Volatile.Read(ref _ended);

    public void Attach(EventStreamSession stream)
    {
        lock (_gate)
        {
            _streams.Add(stream);
            if (!_over)
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

    /// <param name="empty">Completes when nothing at all is left on the upstream.</param>
    public async Task RunAsync(TimeSpan budget, Task empty)
    {
        var started = time.GetTimestamp();
        if (await EndedWithinAsync(empty, budget * 0.8))
            return;

        var asked = Streams();
        Random.Shared.Shuffle(asked);
        foreach (var stream in asked)
        {
            stream.End();
            if (await EndedWithinAsync(empty, budget * 0.2 / asked.Length * (0.5 + (Random.Shared.NextDouble() / 2))))
                return;
        }

        lock (_gate)
            _over = true;
        foreach (var late in Streams())
            late.End();
        var rest = budget - time.GetElapsedTime(started);
        if (!Any || await EndedWithinAsync(empty, (rest > TimeSpan.Zero ? rest : TimeSpan.Zero) + Grace))
            return;

        foreach (var stuck in Streams())
            stuck.EndNow();
    }

    private EventStreamSession[] Streams()
    {
        lock (_gate)
            return [.. _streams];
    }

    private async Task<bool> EndedWithinAsync(Task empty, TimeSpan limit)
    {
        await empty.WaitAsync(limit, time).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
        return empty.IsCompleted;
    }
}
