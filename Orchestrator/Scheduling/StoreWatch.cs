using System.Collections.Concurrent;
using Orchestrator.Backups.Sets;
using Orchestrator.Journal;

namespace Orchestrator.Scheduling;

/// <summary>Sees when the stores of a stack may have drifted apart, and has them brought together: soon after one has missed something, else once a day.</summary>
public sealed class StoreWatch(BackupVault vault, StoreUpkeep upkeep, OperationBoard board, SetLedger ledger, IJournal journal, TimeProvider time)
{
    private static readonly TimeSpan AfterStart = TimeSpan.FromMinutes(10);
    private static readonly TimeSpan AfterMiss = TimeSpan.FromMinutes(5);
    private const int Doublings = 4;

    private static readonly TimeSpan Daily = TimeSpan.FromHours(24);
    private static readonly TimeSpan BetweenLooks = TimeSpan.FromMinutes(1);

    private readonly ConcurrentDictionary<string, Seen> _stacks = new(StringComparer.Ordinal);
    private readonly long _started = time.GetTimestamp();
    private long? _looked;

    public async Task LookAsync(CancellationToken cancellationToken)
    {
        if (vault.Options.Stores.IsEmpty || (_looked is { } last && time.GetElapsedTime(last) < BetweenLooks)) return;

        _looked = time.GetTimestamp();
        foreach (var state in await journal.ListStacksAsync(cancellationToken))
        {
            if (await ledger.NewestAsync(state.Stack, cancellationToken) is { } newest && IsDue(newest)) Begin(state.Stack);
        }
    }

    private bool IsDue(BackupSetRecord newest)
    {
        if (!_stacks.TryGetValue(newest.Stack, out var seen)) return time.GetElapsedTime(_started) >= (HasMissed(newest, 0) ? AfterMiss : AfterStart);
        if (seen.Running) return false;
        return time.GetElapsedTime(seen.At) >= (seen.Failed > 0 || HasMissed(newest, seen.Misses) ? AfterMiss * Math.Pow(2, Math.Min(seen.Failed, Doublings)) : Daily);
    }

    private bool HasMissed(BackupSetRecord newest, int known) => vault.Repository(newest.Stack).Misses > known || newest.Zones.Values.Any(zone => zone != BackupSetRecord.Whole);

    private void Begin(string stack)
    {
        var misses = vault.Repository(stack).Misses;
        var failed = _stacks.TryGetValue(stack, out var before) ? before.Failed : 0;
        _stacks[stack] = new(time.GetTimestamp(), misses, failed, Running: true);
        board.Start(
            stack,
            "upkeep",
            (progress, token) => upkeep.RunAsync(stack, progress, token),
            over =>
            {
                _stacks[stack] = new(time.GetTimestamp(), misses, over.State == OperationState.Succeeded ? 0 : failed + 1, Running: false);
                return Task.CompletedTask;
            });
    }

    /// <param name="Failed">Times in a row that it could not all be done.</param>
    private sealed record Seen(long At, int Misses, int Failed, bool Running);
}
