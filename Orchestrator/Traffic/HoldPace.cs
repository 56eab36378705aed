namespace Orchestrator.Traffic;

/// <summary>
/// Lets held requests go a few at a time: a replica that has just come back is not run over by all that waited for it. Each answer makes room for two
/// more, so that the number doubles with every round while the application keeps up.
/// </summary>
internal sealed class HoldPace(int slots)
{
    /// <summary>How many of the held requests may be on their way to one replica at first.</summary>
    public const int FirstPerReplica = 8;

    // From here on it does not grow any more.
    private const int Most = 1024;

    // Answers that take longer than this make no room; who has waited so long is let go all the same, not all in the same moment.
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(1);

    private readonly Lock _gate = new();
    private readonly Queue<TaskCompletionSource> _waiting = [];
    private int _size = slots;
    private int _free = slots;

    /// <summary>Completes when the request may go.</summary>
    /// <returns>False: without a slot, because it has waited long enough or its client has left; then it does not <see cref="Leave"/> either.</returns>
    public async ValueTask<bool> EnterAsync(TimeSpan atMost, TimeProvider time, CancellationToken aborted)
    {
        TaskCompletionSource turn;
        lock (_gate)
        {
            if (_free > 0)
            {
                _free--;
                return true;
            }

            turn = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            _waiting.Enqueue(turn);
        }

        var longest = Longest * (1 + (2 * Random.Shared.NextDouble()));
        await turn.Task.WaitAsync(longest < atMost ? longest : atMost, time, aborted).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return !turn.TrySetCanceled(CancellationToken.None);
    }

    /// <summary>A request that was let go has its answer: there is room for the next, and one more.</summary>
    public void Leave()
    {
        lock (_gate)
        {
            var room = _size < Most ? 2 : 1;
            _size += room - 1;
            Free(room);
        }
    }

    /// <summary>A request that was let go found no replica after all: there is room for the next.</summary>
    public void GiveBack()
    {
        lock (_gate)
            Free(1);
    }

    private void Free(int room)
    {
        for (_free += room; _free > 0 && _waiting.TryDequeue(out var next);)
        {
            if (next.TrySetResult())
                _free--;
        }
    }
}
