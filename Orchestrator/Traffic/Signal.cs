namespace Orchestrator.Traffic;

/// <summary>
/// Tells all that wait that something changed. First <see cref="Add"/>, then look, then await: a change after the look is not missed. Whoever has waited long enough
/// takes itself out again, at no cost that grows with the number of the others: what would be left behind by thousands that wait and look again each second, for as
/// long as an application is away, would take minutes to be worked off when it comes back.
/// </summary>
internal sealed class Signal
{
    private readonly Lock _gate = new();
    private readonly HashSet<TaskCompletionSource> _waiting = [];

    /// <summary>How many wait.</summary>
    public int Waiting
    {
        get
        {
            lock (_gate)
                return _waiting.Count;
        }
    }

    /// <summary>One that waits; it must run its continuations elsewhere, as whoever publishes routes must not run a thousand held requests first.</summary>
    public void Add(TaskCompletionSource waiter)
    {
        lock (_gate)
            _waiting.Add(waiter);
    }

    /// <summary>Completes when it is raised from now on. For whoever waits for as long as that takes.</summary>
    public Task Next()
    {
        var waiter = NewWaiter();
        Add(waiter);
        return waiter.Task;
    }

    public void Remove(TaskCompletionSource waiter)
    {
        lock (_gate)
            _waiting.Remove(waiter);
    }

    public void Raise()
    {
        TaskCompletionSource[] waiting;
        lock (_gate)
        {
            waiting = [.. _waiting];
            _waiting.Clear();
        }

        foreach (var waiter in waiting)
            waiter.TrySetResult();
    }

    public static TaskCompletionSource NewWaiter() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
