namespace Orchestrator.Traffic;

/// <summary>
/// One request counted on an upstream, and the replica chosen for it. While it is held, the upstream does not count as drained.
/// Dispose it exactly once.
/// </summary>
public readonly struct Lease : IDisposable
{
    private readonly Upstream? _upstream;

    internal Lease(Upstream upstream, int index)
    {
        _upstream = upstream;
        Index = index;
    }

    /// <summary>The replica's place in <see cref="Upstream.Replicas"/>.</summary>
    public int Index { get; }

    public Upstream Upstream => _upstream ?? throw new InvalidOperationException("No lease was given.");

    public ReplicaAddress Replica => Upstream.Replicas[Index];

    /// <summary>Cancelled when the time of plain requests on the replica is over.</summary>
    internal CancellationToken HttpDeadline => Upstream.HttpDeadlineOf(Index);

    public void Dispose() => _upstream?.Release(Index);
}
