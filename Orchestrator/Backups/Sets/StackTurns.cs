using System.Collections.Concurrent;

namespace Orchestrator.Backups.Sets;

/// <summary>One set, drill or restore of a stack at a time. Who comes second waits, and can ask what for.</summary>
public sealed class StackTurns
{
    // Never disposed of, and never taken out: there are as many as stacks, and a semaphore without a wait handle holds nothing.
    private readonly ConcurrentDictionary<string, SemaphoreSlim> _gates = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, string> _doing = new(StringComparer.Ordinal);

    /// <summary>What is being done with the stack's data now; null: nothing.</summary>
    public string? NowAt(string stack) => _doing.GetValueOrDefault(stack);

    /// <summary>Waits for its turn, which lasts until what is returned is disposed.</summary>
    /// <param name="what">For whoever waits, e.g. <c>a backup (schedule)</c>.</param>
    public async Task<IDisposable> EnterAsync(string stack, string what, CancellationToken cancellationToken)
    {
        await GateOf(stack).WaitAsync(cancellationToken);
        return Hold(stack, what);
    }

    /// <returns>Null when somebody else has the turn.</returns>
    public IDisposable? TryEnter(string stack, string what) => GateOf(stack).Wait(0) ? Hold(stack, what) : null;

    private SemaphoreSlim GateOf(string stack) => _gates.GetOrAdd(stack, _ => new(1, 1));

    private Held Hold(string stack, string what)
    {
        _doing[stack] = what;
        return new(this, stack);
    }

    private void Leave(string stack)
    {
        _doing.TryRemove(stack, out _);
        GateOf(stack).Release();
    }

    private sealed class Held(StackTurns turns, string stack) : IDisposable
    {
        private int _over;

        public void Dispose()
        {
            if (Interlocked.Exchange(ref _over, 1) == 0) turns.Leave(stack);
        }
    }
}
