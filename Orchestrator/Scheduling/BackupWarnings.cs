using System.Collections.Immutable;
using System.Globalization;
using Orchestrator.Backups;
using Orchestrator.Backups.Schedules;
using Orchestrator.Backups.Sets;
using Orchestrator.Journal;
using Orchestrator.Stacks;

namespace Orchestrator.Scheduling;

/// <summary>What somebody should know of a stack's backups while all still runs: that they could not be read, are not proved, or are late.</summary>
public sealed class BackupWarnings(BackupVault vault, SetLedger sets, OperationBoard board, IJournal journal, TimeProvider time)
{
    /// <returns>Empty: nothing, or nothing of the stack is backed up.</returns>
    public async Task<ImmutableArray<BackupFinding>> OfAsync(string stack, CancellationToken cancellationToken)
    {
        if (await journal.FindStackAsync(stack, cancellationToken) is not { CurrentRelease: > 0 } state) return [];
        if (await journal.FindReleaseAsync(stack, state.CurrentRelease, cancellationToken) is not { } release) return [];
        if (!release.Stack.Services.Any(spec => spec.BasMalin?.Backup is not null)) return [];

        var standing = (await sets.StandingAsync(stack, cancellationToken)).RemoveAll(set => set.IsDump);
        var busy = board.List().Where(operation => operation.Stack == stack && !operation.Ended).Select(operation => operation.Kind).ToHashSet(StringComparer.Ordinal);
        var keys = vault.Options.Keys?.Problem;
        return [.. keys is null ? [] : (BackupFinding[])[keys], .. Find(release.Stack, standing, busy, time.GetUtcNow())];
    }

    /// <summary>Pure.</summary>
    /// <param name="standing">Sets that can be restored, newest first.</param>
    /// <param name="busy">Kinds of what goes on with the stack's data now: what is being done is not late.</param>
    public static IEnumerable<BackupFinding> Find(Stack stack, ImmutableArray<BackupSetRecord> standing, IReadOnlySet<string> busy, DateTimeOffset now)
    {
        if (standing.IsEmpty)
        {
            if (!busy.Contains("backup")) yield return new(Blocking: true, "Nothing of it has been backed up yet", $"Make a set: basmalin backup run {stack.Name}");
            yield break;
        }

        var proved = standing.Max(set => set.ProvedAt);
        if (proved is null) yield return new(Blocking: false, "No set has been proved: none has been restored to see that it can be", $"Prove the newest: basmalin drill {stack.Name}");
        foreach (var schedule in BackupSchedule.Of(stack))
        {
            var (last, what, remedy) = schedule.Work switch
            {
                ScheduledWork.Backup => ((DateTimeOffset?)standing[0].StartedAt, "set", $"basmalin backup run {stack.Name}"),
                ScheduledWork.Drill => (proved, "proof of a set", $"basmalin drill {stack.Name}"),
                _ => (null, "", ""),        // a dump is no way back for the stack
            };
            if (last is not { } since || busy.Contains(schedule.Work.ToString().ToLowerInvariant())) continue;
            if (DueTimes.Find(schedule, since, now - MissingOutcomes.Grace, CronTimes.Next) is { } due)
            {
                yield return new(
                    Blocking: false,
                    string.Create(CultureInfo.InvariantCulture, $"A {what} is overdue: it was due at {due.At.UtcDateTime:yyyy-MM-dd HH:mm}Z, and the last one is of {since.UtcDateTime:yyyy-MM-dd HH:mm}Z"),
                    $"'basmalin backup list {stack.Name}' says what became of it; now: {remedy}");
            }
        }
    }
}
