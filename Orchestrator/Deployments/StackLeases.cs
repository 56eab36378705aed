using System.Collections.Concurrent;

namespace Orchestrator.Deployments;

/// <summary>
/// Who may change what of a stack runs: one at a time. Deployments wait for their turn, and whoever has borrowed the stack meanwhile, to heal it, is asked to
/// give way at once; nobody borrows what somebody waits for.
/// </summary>
public sealed class StackLeases
{
    // Never taken out: there are as many as stacks, and a semaphore without a wait handle holds nothing.
    private readonly ConcurrentDictionary<string, Place> _places = new(StringComparer.Ordinal);

    /// <summary>Waits until the stack is free; it is held until what is returned is disposed.</summary>
    public async Task<IDisposable> EnterAsync(string stack, CancellationToken cancellationToken)
    {
        var place = _places.GetOrAdd(stack, _ => new());
        CancellationTokenSource? borrowed;
        lock (place.Lock)
        {
            place.Waiting++;
            borrowed = place.Borrowed;
        }

        try
        {
            if (borrowed is not null) await borrowed.CancelAsync();
            await place.Free.WaitAsync(cancellationToken);
            return new Held(place);
        }
        finally
        {
            lock (place.Lock) place.Waiting--;
        }
    }

    /// <returns>Null: somebody has it, or waits for it.</returns>
    public StackLoan? TryBorrow(string stack)
    {
        var place = _places.GetOrAdd(stack, _ => new());
        lock (place.Lock)
        {
            if (place.Waiting > 0 || !place.Free.Wait(0)) return null;

            place.Borrowed = new();
            return new(new Held(place), place.Borrowed.Token);
        }
    }

    private sealed class Place
    {
        public Lock Lock { get; } = new();

        public SemaphoreSlim Free { get; } = new(1, 1);

        public int Waiting { get; set; }

        public CancellationTokenSource? Borrowed { get; set; }
    }

    private sealed class Held(Place place) : IDisposable
    {
        private int _over;

        public void Dispose()
        {
            if (Interlocked.Exchange(ref _over, 1) != 0) return;
            lock (place.Lock) place.Borrowed = null;
            place.Free.Release();
        }
    }
}
