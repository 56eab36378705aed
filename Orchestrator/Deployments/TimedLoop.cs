namespace Orchestrator.Deployments;

/// <summary>Does something at a beat until it is disposed of. A round that takes longer than the beat is not overtaken by the next.</summary>
/// <param name="round">Must not throw but for the token.</param>
internal sealed class TimedLoop(TimeSpan interval, Func<CancellationToken, Task> round, TimeProvider time) : IAsyncDisposable
{
    private readonly CancellationTokenSource _stopping = new();
    private Task _loop = Task.CompletedTask;

    public void Start() => _loop = Task.Run(LoopAsync);

    /// <summary>Returns when the round that is under way has ended.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_stopping.IsCancellationRequested) return;
        await _stopping.CancelAsync();
        await _loop;
    }

    private async Task LoopAsync()
    {
        var token = _stopping.Token;
        using var ticks = new PeriodicTimer(interval, time);
        try
        {
            while (await ticks.WaitForNextTickAsync(token)) await round(token);
        }
        catch (OperationCanceledException) when (token.IsCancellationRequested)
        {
            return;
        }
    }
}
