namespace Orchestrator.Docker;

/// <summary>Gives a stream of the engine up when nothing more of it comes: an engine that hangs in the middle of an answer must not hold whoever reads it.</summary>
internal sealed class Silence(TimeSpan longest, TimeProvider time, CancellationToken cancellationToken) : IDisposable
{
    private readonly CancellationTokenSource _limit = new(longest, time);

    /// <summary>Reads once, within the time.</summary>
    /// <exception cref="EngineException">Nothing came.</exception>
    public async Task<T> BreakAsync<T>(string what, Func<CancellationToken, Task<T>> read)
    {
        _limit.CancelAfter(longest);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _limit.Token);
        try
        {
            return await read(either.Token);
        }
        catch (OperationCanceledException silent) when (_limit.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            throw new EngineException(EngineFault.TimedOut, $"Could not {what}: the container engine stopped in the middle of its answer, and said nothing more for {longest.TotalSeconds:0.##} s", silent);
        }
    }

    public void Dispose() => _limit.Dispose();
}
