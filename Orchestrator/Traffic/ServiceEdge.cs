using Prometheus;

namespace Orchestrator.Traffic;

/// <summary>What the proxy keeps about a service across its colours and releases: the queue of held requests.</summary>
internal sealed class ServiceEdge(Gauge.Child heldGauge, Counter.Child retries)
{
    private int _held;

    public int Held => Volatile.Read(ref _held);

    public void Retried() => retries.Inc();

    /// <summary>Takes a place among the held requests. False: there are too many already.</summary>
    public bool TryHold(int limit)
    {
        if (Interlocked.Increment(ref _held) > limit)
        {
            Interlocked.Decrement(ref _held);
            return false;
        }

        heldGauge.Inc();
        return true;
    }

    public void LetGo()
    {
        Interlocked.Decrement(ref _held);
        heldGauge.Dec();
    }
}
