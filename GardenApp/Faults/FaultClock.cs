namespace GardenApp.Faults;

/// <summary>
/// Knows whether the time has come to fail. It starts at the first request that is not a probe, not at the start of the process:
/// a version that goes bad under traffic passes its gate first, however long that takes.
/// </summary>
internal sealed class FaultClock
{
    private readonly FaultSettings _settings;
    private readonly TimeProvider _time;
    private long _firstRequest;
    private double _owed;
    private readonly Lock _gate = new();

    public FaultClock(FaultSettings settings, TimeProvider time)
    {
        _settings = settings;
        _time = time;
    }

    internal void RequestSeen()
    {
        if (_settings.FailAfter is not null && Volatile.Read(ref _firstRequest) == 0)
            Interlocked.CompareExchange(ref _firstRequest, _time.GetTimestamp(), 0);
    }

    internal bool HasFailed =>
        _settings.FailAfter is { } after && Volatile.Read(ref _firstRequest) is not 0 and var first && _time.GetElapsedTime(first) >= after;

    /// <summary>True for exactly the configured part of the calls, evenly spread, so that tests can count.</summary>
    internal bool NextRequestFails()
    {
        if (_settings.ErrorRatio <= 0) return false;
        lock (_gate)
        {
            _owed += _settings.ErrorRatio;
            // 0.1 added ten times is a little less than 1.
            if (_owed < 1 - 1e-9) return false;
            _owed -= 1;
            return true;
        }
    }
}
