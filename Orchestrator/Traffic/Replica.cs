using System.Diagnostics.CodeAnalysis;

namespace Orchestrator.Traffic;

/// <summary>
/// One replica of an upstream: how busy it is and whether it may have requests. Out of rotation by decision (<see cref="Available"/>), or for a
/// short while because it could not be reached or breaks off what it gets; then, whenever a pause is over, one request is sent to see, and the others keep away until it succeeds.
/// </summary>
[SuppressMessage("Design", "CA1001", Justification = "A source without a timer holds nothing; requests may look at its token at any time.")]
internal sealed class Replica(ReplicaAddress address)
{
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(2);

    // It accepts connections and breaks them off: so often in a row, without an answer in between, it is left alone like one that cannot be reached.
    private const int TooManyBreaks = 5;

    private readonly CancellationTokenSource _httpDeadline = new();
    private int _inFlight;
    private TaskCompletionSource? _left;
    private volatile bool _available = true;
    private int _failures;
    private int _breaks;
    private long _retryAt;

    public ReplicaAddress Address { get; } = address;

    public int InFlight => Volatile.Read(ref _inFlight);

    public bool Available { get => _available; set => _available = value; }

    /// <summary>When a request may be sent to see, as a timestamp of the upstream's clock; 0: it is reachable for all that is known.</summary>
    public long RetryAt => Volatile.Read(ref _retryAt);

    /// <summary>In rotation, and reachable for all that is known.</summary>
    public bool IsPlain => _available && RetryAt == 0;

    /// <summary>Cancelled when the time of plain requests on it is over.</summary>
    public CancellationToken HttpDeadline => _httpDeadline.Token;

    public void Enter() => Interlocked.Increment(ref _inFlight);

    public void Leave()
    {
        if (Interlocked.Decrement(ref _inFlight) == 0)
            Volatile.Read(ref _left)?.TrySetResult();
    }

    /// <summary>It leaves the upstream: nobody enters it any more but to turn back at once.</summary>
    public bool IsLetGo => Volatile.Read(ref _left) is not null;

    /// <returns>False: it was let go before.</returns>
    public bool TryLetGo()
    {
        _available = false;
        return Interlocked.CompareExchange(ref _left, new(TaskCreationOptions.RunContinuationsAsynchronously), null) is null;
    }

    /// <summary>Completes when nothing is under way on it; said once it was let go.</summary>
    public Task EmptyAsync()
    {
        if (_left is not { } left) throw new InvalidOperationException("It was not let go.");

        // First the place to be told at, then the look: who leaves does it the other way round.
        if (InFlight == 0)
            left.TrySetResult();
        return left.Task;
    }

    public Task CutHttpAsync() => _httpDeadline.CancelAsync();

    /// <summary>Whether the caller is the one request that is sent to see. At most one is, per pause.</summary>
    public bool TryTrial(TimeProvider time)
    {
        var due = RetryAt;
        if (due == 0 || !_available || time.GetTimestamp() < due)
            return false;

        // Taken for a failure until it succeeds: that is what keeps the others away.
        var failures = Volatile.Read(ref _failures) + 1;
        if (Interlocked.CompareExchange(ref _retryAt, Later(time, failures), due) != due)
            return false;

        Volatile.Write(ref _failures, failures);
        return true;
    }

    /// <summary>True when it was thought reachable until now. Many requests may fail at once; they are one failure.</summary>
    public bool Failed(TimeProvider time)
    {
        if (Interlocked.CompareExchange(ref _retryAt, Later(time, failures: 1), 0) != 0)
            return false;

        Volatile.Write(ref _failures, 1);
        return true;
    }

    /// <summary>It broke off before it answered. True when that was once too often, and news.</summary>
    public bool BrokeOff(TimeProvider time) => Interlocked.Increment(ref _breaks) >= TooManyBreaks && Failed(time);

    /// <summary>True when it was thought unreachable until now.</summary>
    public bool Succeeded()
    {
        if (Volatile.Read(ref _breaks) != 0)
            Volatile.Write(ref _breaks, 0);
        return RetryAt != 0 && Interlocked.Exchange(ref _retryAt, 0) != 0;
    }

    private static long Later(TimeProvider time, int failures)
    {
        var pause = Math.Min(FirstPause.Ticks << Math.Clamp(failures - 1, 0, 8), LongestPause.Ticks);
        return time.GetTimestamp() + (long)(TimeSpan.FromTicks(pause).TotalSeconds * time.TimestampFrequency);
    }
}
