using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using Orchestrator.Docker;
using Orchestrator.Journal;

namespace Orchestrator.Deployments;

/// <summary>Ends warm times when they are over, and cleans up releases after each deployment; sweeps again what could not be swept. Asleep in between.</summary>
public sealed partial class Housekeeping(IJournal journal, DeploymentQueue queue, Sweeper sweeper, ReleaseCleanup cleanup, TimeProvider time, ILogger<Housekeeping> logger) : IAsyncDisposable
{
    private static readonly TimeSpan Longest = TimeSpan.FromHours(1);
    private static readonly TimeSpan SweptAgain = TimeSpan.FromSeconds(10);

    // After a start what serves comes first: the first look asks the engine for everything of every stack.
    private static readonly TimeSpan Settling = TimeSpan.FromSeconds(2);

    private readonly CancellationTokenSource _stopping = new();

    // One pending wake is enough: the loop looks at everything each time.
    private readonly Channel<bool> _wake = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
    private Task _loop = Task.CompletedTask;
    private long _tried = time.GetTimestamp();

    public void Start()
    {
        queue.Ended += OnEnded;
        sweeper.Owes += Wake;
        _loop = Task.Run(() => LoopAsync(_stopping.Token));
    }

    public async ValueTask DisposeAsync()
    {
        queue.Ended -= OnEnded;
        sweeper.Owes -= Wake;
        if (_stopping.IsCancellationRequested) return;
        await _stopping.CancelAsync();
        await _loop;
    }

    private void OnEnded(Deployment ended) => Wake();

    private void Wake() => _wake.Writer.TryWrite(true);

    private async Task LoopAsync(CancellationToken cancellationToken)
    {
        var first = true;
        await Task.Delay(Settling, time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);     // the loop looks at the token itself
        while (!cancellationToken.IsCancellationRequested)
        {
            try
            {
                await RoundAsync(first, cancellationToken);
                first = false;
                await SleepAsync(cancellationToken);
            }
            catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception problem) when (problem is JournalException or EngineException)
            {
                LogRoundFailed(problem);
                await Task.Delay(TimeSpan.FromMinutes(1), time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    /// <param name="everything">Also what is left of deployments whose end was the last that the daemon wrote down before it died.</param>
    private async Task RoundAsync(bool everything, CancellationToken cancellationToken)
    {
        if (journal.Health.Damage is not null) return;              // what it does not know might be what serves
        var busy = (await journal.UnfinishedAsync(cancellationToken)).Select(deployment => deployment.Request.Stack).ToHashSet();
        var now = time.GetUtcNow();
        var owed = OwedNow();
        foreach (var state in await journal.ListStacksAsync(cancellationToken))
        {
            if (busy.Contains(state.Stack)) continue;               // its own end wakes this loop again
            if (everything || owed.Contains(state.Stack) || (state.Warm is { } warm && warm.Until <= now)) await sweeper.SweepAsync(state.Stack, cancellationToken);
            await cleanup.RunAsync(state.Stack, cancellationToken);
        }
    }

    /// <summary>What the engine's absence left unswept, not more often than every ten seconds.</summary>
    private HashSet<string> OwedNow()
    {
        if (sweeper.Owed.Count == 0 || time.GetElapsedTime(_tried) < SweptAgain) return [];

        _tried = time.GetTimestamp();
        return [.. sweeper.Owed];
    }

    private async Task SleepAsync(CancellationToken cancellationToken)
    {
        var next = (await journal.ListStacksAsync(cancellationToken)).Select(state => state.Warm?.Until).Min();
        var longest = sweeper.Owed.Count > 0 ? SweptAgain : Longest;
        var rest = next is { } until && until - time.GetUtcNow() < longest ? until - time.GetUtcNow() : longest;
        using var alarm = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var sleep = Task.Delay(rest > TimeSpan.Zero ? rest : TimeSpan.FromSeconds(1), time, alarm.Token);
        await Task.WhenAny(sleep, _wake.Reader.ReadAsync(alarm.Token).AsTask());
        await alarm.CancelAsync();
        cancellationToken.ThrowIfCancellationRequested();
    }

    [LoggerMessage(EventId = 2521, Level = LogLevel.Error, Message = "Housekeeping failed and is tried again in a minute")]
    private partial void LogRoundFailed(Exception problem);
}
