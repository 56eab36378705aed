using System.Collections.Concurrent;

namespace Orchestrator.Backups.Pipeline;

/// <summary>A store that cannot be reached costs its time-out once, not once for each of ten thousand objects.</summary>
internal sealed class StoreHealth(TimeSpan pause, TimeProvider time)
{
    private const int Failures = 3;

    private readonly ConcurrentDictionary<string, (int InARow, long At)> _failures = new();

    private int _seen;

    /// <summary>Failures since the start: when it has grown, a store has missed something.</summary>
    public int Seen => Volatile.Read(ref _seen);

    public bool MayTry(IBackupStore store) =>
        !_failures.TryGetValue(store.Name, out var failed) || failed.InARow < Failures || time.GetElapsedTime(failed.At) >= pause;

    public void Note(IBackupStore store, bool well)
    {
        if (!well) Interlocked.Increment(ref _seen);
        if (well) _failures.TryRemove(store.Name, out _);
        else _failures.AddOrUpdate(store.Name, _ => (1, time.GetTimestamp()), (_, before) => (before.InARow + 1, time.GetTimestamp()));
    }
}
