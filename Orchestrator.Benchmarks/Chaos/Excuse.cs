using Orchestrator.Tests.Load;

namespace Orchestrator.Benchmarks.Chaos;

/// <summary>What an excuse is good for.</summary>
internal enum ExcuseKind
{
    /// <summary>No daemon is there: requests that were under way or came meanwhile got no answer.</summary>
    NoDaemon,

    /// <summary>The daemon was told to end: those that came before have their answers, later ones may be refused.</summary>
    DaemonEnds,

    /// <summary>Nothing of the stack runs or can be reached: 502, 504, 503 with Retry-After, or an answer that was cut.</summary>
    NoReplica,

    /// <summary>A replica was removed: on it may have been under way what cannot be asked again, a request with a body or one whose answer had begun.</summary>
    NotRepeatable,

    /// <summary>A network was taken away, and with it the way to its addresses: for a moment, until the daemon has heard of it, whatever the host's gateway has there may answer.</summary>
    AddressLost,
}

/// <summary>A time in which requests may fail, because of something that was done.</summary>
/// <param name="Stack">Null: every stack.</param>
/// <param name="From">As a timestamp.</param>
internal sealed record Excuse(ExcuseKind Kind, ActKind Act, string? Stack, long From)
{
    private long _to = long.MaxValue;

    /// <summary>The end, as a timestamp.</summary>
    public long To => Volatile.Read(ref _to);

    public bool IsOpen => To == long.MaxValue;

    public void End(long now) => Interlocked.CompareExchange(ref _to, now, long.MaxValue);

    /// <summary>Whether a request that failed may have.</summary>
    public bool Covers(string stack, LoadVisit visit)
    {
        if (Stack is not null && Stack != stack) return false;
        if (visit.Came > To || visit.Left < From) return false;

        return Kind switch
        {
            ExcuseKind.NoDaemon => visit.Status == 0 || IsComeAgain(visit),
            ExcuseKind.DaemonEnds => visit.Came >= From && (visit.Status == 0 || IsComeAgain(visit)),
            ExcuseKind.NoReplica => visit.Status is 0 or 502 or 504 || IsComeAgain(visit),
            ExcuseKind.AddressLost => visit is { Status: not 503, Version: null },
            _ => (visit.HasBody && visit.Status is 0 or 502 or 504) || visit is { Status: 0, Version: not null },
        };
    }

    private static bool IsComeAgain(LoadVisit visit) => visit is { Status: 503, RetryAfter: true };
}
