namespace Orchestrator.Traffic;

/// <summary>Tells all that wait that something changed. Take <see cref="Next"/>, then look, then await: a change after the look is not missed.</summary>
internal sealed class Signal
{
    private TaskCompletionSource _next = NewSource();

    public Task Next => Volatile.Read(ref _next).Task;

    public void Raise() => Interlocked.Exchange(ref _next, NewSource()).TrySetResult();

    // Waiters run elsewhere: whoever publishes routes must not run a thousand held requests first.
    private static TaskCompletionSource NewSource() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
