using System.Collections.Immutable;

namespace Orchestrator.Traffic;

/// <summary>
/// One colour's replicas as the proxy sees them. A request chooses its upstream and is counted on it in one act, by <see cref="TryLease(out Lease)"/>;
/// from <see cref="DrainAsync"/> on no lease is given any more, and never again: the way back to the same containers is a new upstream.
/// </summary>
public sealed class Upstream
{
    // The number of leases, and the highest bit once it is closed: one word, so that a lease is counted before the drain begins or refused.
    private const int Closed = int.MinValue;

    // Up to this many replicas the least busy of all is found by looking at each; beyond it, the better of two is nearly as good, and costs no more.
    private const int FewReplicas = 8;

    private readonly Replica[] _replicas;
    private readonly TimeProvider _time;
    private readonly Lock _draining = new();
    private readonly UpstreamDrain _drain;
    private int _state;
    private Upstream? _before;
    private Task<DrainReport>? _drained;

    public Upstream(UpstreamIdentity identity, ImmutableArray<ReplicaAddress> replicas, TimeProvider time)
        : this(identity, replicas, null, time)
    {
    }

    private Upstream(UpstreamIdentity identity, ImmutableArray<ReplicaAddress> replicas, Upstream? before, TimeProvider time)
    {
        _before = before;
        Identity = identity;
        Replicas = replicas;
        _time = time;
        _replicas = [.. replicas.Select(address => new Replica(address))];
        _drain = new UpstreamDrain(time);
    }

    public UpstreamIdentity Identity { get; }

    public ImmutableArray<ReplicaAddress> Replicas { get; }

    public UpstreamTraffic Traffic { get; } = new();

    /// <summary>Leases held now; WebSockets are among them. Those from before its replicas changed are not.</summary>
    public int InFlight => Volatile.Read(ref _state) & ~Closed;

    /// <summary>Replicas in rotation; those that are left alone for a moment are among them.</summary>
    public int Available => _replicas.Count(replica => replica.Available);

    public int WebSockets => _drain.WebSockets;

    /// <summary>A drain has begun.</summary>
    public bool IsClosed => (Volatile.Read(ref _state) & Closed) != 0;

    /// <summary>Leases held now on each of <see cref="Replicas"/>.</summary>
    internal IEnumerable<int> InFlightByReplica => _replicas.Select(replica => replica.InFlight);

    /// <summary>Raised when a replica comes back. See <see cref="Signal"/> for the order of looking and waiting.</summary>
    internal Signal Changed { get; } = new();

    /// <summary>
    /// Counts a request on this upstream and chooses a replica for it, the least busy one. False: it is closed, so the route table has moved and
    /// must be read again, or none of its replicas is available.
    /// </summary>
    public bool TryLease(out Lease lease) => TryLease(preferred: -1, out lease);

    /// <param name="preferred">The place of the replica that is chosen if it can be; outside of <see cref="Replicas"/>: none is preferred.</param>
    internal bool TryLease(int preferred, out Lease lease)
    {
        lease = default;
        if (!TryCount())
            return false;

        var index = (uint)preferred < (uint)_replicas.Length && _replicas[preferred].IsPlain ? preferred : Choose(tried: 0);
        if (index < 0)
        {
            Uncount();
            return false;
        }

        lease = new Lease(this, index);
        _replicas[index].Enter();
        if (!_replicas[index].IsLetGo)
            return true;

        // In between: whoever lets it go may have found it empty.
        lease.Dispose();
        lease = default;
        return false;
    }

    /// <summary>Takes a replica out of rotation, or puts it back. What is under way on it goes on. A key that is not its own changes nothing.</summary>
    public void SetAvailable(string key, bool available)
    {
        foreach (var replica in _replicas)
        {
            if (replica.Address.Key != key)
                continue;

            replica.Available = available;
            if (!available)
                continue;

            replica.Succeeded();
            Changed.Raise();
        }
    }

    /// <summary>Whether the replica is in rotation by decision; whether it can be reached is another question.</summary>
    public bool IsAvailable(string key) => _replicas.Any(replica => replica.Address.Key == key && replica.Available);

    /// <summary>Takes a replica out of rotation, unless it is the last one in it. False: nothing has changed.</summary>
    public bool TryTakeOut(string key)
    {
        lock (_draining)
        {
            if (Available < 2 || _replicas.FirstOrDefault(replica => replica.Address.Key == key) is not { Available: true } sick)
                return false;

            sick.Available = false;
            return true;
        }
    }

    /// <summary>
    /// Closes the upstream and waits until nothing is under way on it, or the budget is used up and the rest is cut off. Called again, it waits for the
    /// same outcome. <paramref name="cancellationToken"/> ends the wait, not the drain.
    /// </summary>
    public Task<DrainReport> DrainAsync(DrainBudget budget, CancellationToken cancellationToken)
    {
        lock (_draining)
        {
            if (_drained is null)
            {
                var own = _drain.RunAsync(budget, Interlocked.Or(ref _state, Closed) & ~Closed, _replicas);
                _drained = _before is null ? own : TogetherAsync([own, _before.DrainAsync(budget, CancellationToken.None)]);
            }
        }

        return _drained.WaitAsync(cancellationToken);
    }

    /// <summary>The same generation with other replicas: what is under way on those that stay goes on, and is drained with the new upstream.</summary>
    public Upstream With(ImmutableArray<ReplicaAddress> replicas)
    {
        while (_before is { IsClosed: true, InFlight: 0 } done)
            _before = done._before;

        var renewed = new Upstream(Identity, replicas, this, _time);
        foreach (var replica in Replicas.Where(replica => replicas.Contains(replica) && !IsAvailable(replica.Key)))
            renewed.SetAvailable(replica.Key, false);
        return renewed;
    }

    /// <summary>
    /// Closes the upstream and empties only the replicas that do not stay, as <see cref="DrainAsync"/> would. Said when another made by <see cref="With"/> has its
    /// place. <paramref name="cancellationToken"/> ends the wait, not the drain.
    /// </summary>
    public Task<DrainReport> LetGoAsync(ImmutableArray<ReplicaAddress> staying, DrainBudget budget, CancellationToken cancellationToken)
    {
        var drains = new List<Task<DrainReport>>();
        for (var older = this; older is not null; older = older._before)
            drains.AddRange(older.LetGo(staying, budget));
        return TogetherAsync(drains).WaitAsync(cancellationToken);
    }

    /// <summary>Goes on to another replica than those in <paramref name="tried"/> (a bit for each index), on the same count.</summary>
    internal bool TryMove(ref Lease lease, ulong tried)
    {
        var index = Choose(tried);
        if (index < 0)
            return false;

        _replicas[index].Enter();
        if (_replicas[index].IsLetGo)
        {
            _replicas[index].Leave();
            return false;
        }

        _replicas[lease.Index].Leave();
        lease = new Lease(this, index);
        return true;
    }

    internal CancellationToken HttpDeadlineOf(int index) => _replicas[index].HttpDeadline;

    /// <summary>Whether a lease could be had right now, for all that can be seen.</summary>
    internal bool MayLease()
    {
        if (IsClosed)
            return false;

        var now = _time.GetTimestamp();
        foreach (var replica in _replicas)
        {
            if (replica.Available && replica.RetryAt <= now)
                return true;
        }

        return false;
    }

    /// <summary>How long until an unreachable replica is tried again; the maximum when none is waiting for that.</summary>
    internal TimeSpan UntilTrial()
    {
        var now = _time.GetTimestamp();
        var soonest = TimeSpan.MaxValue;
        foreach (var replica in _replicas)
        {
            if (!replica.Available || replica.RetryAt is not (var due and not 0))
                continue;

            var wait = due <= now ? TimeSpan.Zero : _time.GetElapsedTime(now, due);
            soonest = wait < soonest ? wait : soonest;
        }

        return soonest;
    }

    /// <summary>Could not be reached: it gets no requests for a moment. True when that is news.</summary>
    internal bool Unreachable(int index) => _replicas[index].Failed(_time);

    /// <summary>Broke a request off before it answered. True when it is left alone from now on.</summary>
    internal bool BrokeOff(int index) => _replicas[index].BrokeOff(_time);

    internal void Reachable(int index)
    {
        if (_replicas[index].Succeeded())
            Changed.Raise();
    }

    internal void Attach(WebSocketSession session) => _drain.Attach(session);

    internal void Detach(WebSocketSession session) => _drain.Detach(session);

    internal void Attach(EventStreamSession stream) => _drain.Attach(stream);

    internal void Detach(EventStreamSession stream) => _drain.Detach(stream);

    internal void Release(int index)
    {
        _replicas[index].Leave();
        Uncount();
    }

    private List<Task<DrainReport>> LetGo(ImmutableArray<ReplicaAddress> staying, DrainBudget budget)
    {
        Interlocked.Or(ref _state, Closed);
        var drains = new List<Task<DrainReport>>();
        for (var index = 0; index < _replicas.Length; index++)
        {
            var replica = _replicas[index];
            if (!staying.Contains(replica.Address) && replica.TryLetGo())
                drains.Add(_drain.LetGoAsync(budget, index, replica));
        }

        return drains;
    }

    private static async Task<DrainReport> TogetherAsync(IEnumerable<Task<DrainReport>> drains)
    {
        var reports = await Task.WhenAll(drains);
        return reports.Aggregate(new DrainReport(0, 0, 0, 0, TimeSpan.Zero), (sum, report) => sum.And(report));
    }

    private bool TryCount()
    {
        var state = Volatile.Read(ref _state);
        while (state >= 0)
        {
            var seen = Interlocked.CompareExchange(ref _state, state + 1, state);
            if (seen == state)
                return true;

            state = seen;
        }

        return false;
    }

    private void Uncount()
    {
        if (Interlocked.Decrement(ref _state) == Closed)
            _drain.Emptied();
    }

    private int Choose(ulong tried)
    {
        var count = _replicas.Length;
        var start = count > 1 ? Random.Shared.Next(count) : 0;
        if (count > FewReplicas && tried == 0)
        {
            var other = Random.Shared.Next(count);
            if (_replicas[start].IsPlain && _replicas[other].IsPlain)
                return _replicas[start].InFlight <= _replicas[other].InFlight ? start : other;
        }

        var best = -1;
        var least = int.MaxValue;
        for (var step = 0; step < count; step++)
        {
            var index = start + step < count ? start + step : start + step - count;
            var replica = _replicas[index];
            if (!replica.Available || IsIn(tried, index))
                continue;

            if (replica.RetryAt != 0)
            {
                // Only real requests find out that it is back.
                if (replica.TryTrial(_time))
                    return index;
                continue;
            }

            var load = replica.InFlight;
            if (load >= least)
                continue;

            least = load;
            best = index;
        }

        return best;
    }

    // Replicas beyond the 64th are not remembered: trying one of them twice does no harm.
    private static bool IsIn(ulong tried, int index) => index < 64 && (tried & (1UL << index)) != 0;
}
