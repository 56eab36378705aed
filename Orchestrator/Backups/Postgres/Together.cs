namespace Orchestrator.Backups.Postgres;

/// <summary>Two things at the same time, of which neither is worth anything without the other.</summary>
internal static class Together
{
    /// <summary>When one fails, the other is told to end, and waited for; what failed first is thrown.</summary>
    public static async Task<(TFirst First, TSecond Second)> RunAsync<TFirst, TSecond>(
        Func<CancellationToken, Task<TFirst>> first, Func<CancellationToken, Task<TSecond>> second, CancellationToken cancellationToken)
    {
        using var stopping = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var (one, two) = (first(stopping.Token), second(stopping.Token));
        var ended = await Task.WhenAny(one, two);
        if (!ended.IsCompletedSuccessfully) await stopping.CancelAsync();
        await Task.WhenAll(one, two).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await ended;
        return (await one, await two);
    }
}
