namespace Orchestrator.Traffic;

/// <summary>What the proxy keeps about a service across its colours and releases: its held requests, and whether it is paused.</summary>
internal sealed class ServiceEdge(ServiceSeries series)
{
    private int _held;
    private long _heldBytes;
    private volatile ServicePause? _pause;
    private volatile HoldPace _pace = new(HoldPace.FirstPerReplica);

    public int Held => Volatile.Read(ref _held);

    /// <summary>How those are let go that are held now.</summary>
    public HoldPace Pace => _pace;

    /// <summary>Null: its requests pass.</summary>
    public ServicePause? Pause
    {
        get => _pause is { } pause && pause.Left > TimeSpan.Zero ? pause : null;
        set
        {
            var before = Interlocked.Exchange(ref _pause, value);
            before?.Resume();
        }
    }

    public void Retried() => series.Retries.Inc();

    public void Ejected() => series.Ejections.Inc();

    /// <summary>Takes a place among the held requests. False: there are too many already, or they take too much memory.</summary>
    /// <param name="bytes">What this one may keep in memory while it waits.</param>
    /// <param name="replicas">Of the upstream that it waits for: the first to wait sets the pace for all.</param>
    public bool TryHold(EdgeOptions options, long bytes, int replicas)
    {
        var held = Interlocked.Increment(ref _held);
        var sum = Interlocked.Add(ref _heldBytes, bytes);
        if (held > options.HoldLimit || sum > options.HoldBytes)
        {
            Interlocked.Decrement(ref _held);
            Interlocked.Add(ref _heldBytes, -bytes);
            return false;
        }

        if (held == 1)
            _pace = new HoldPace(Math.Max(1, replicas) * HoldPace.FirstPerReplica);
        series.Held.Inc();
        series.Holds.Inc();
        return true;
    }

    public void LetGo(long bytes)
    {
        Interlocked.Decrement(ref _held);
        Interlocked.Add(ref _heldBytes, -bytes);
        series.Held.Dec();
    }
}
