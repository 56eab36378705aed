using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Globalization;
using Microsoft.Extensions.Logging;
using Orchestrator.Backups.Schedules;
using Orchestrator.Backups.Sets;
using Orchestrator.Journal;
using Orchestrator.Restores;
using Orchestrator.Telemetry;

namespace Orchestrator.Scheduling;

/// <summary>
/// Carries schedules of backups and drills out. The journal is what persists: up to where each schedule was carried out, and what became of each due
/// run. So a run that was missed while the daemon was away is due at its start, once; a run in whose middle it ended is taken up again; and no two records can
/// disagree about what has been done.
/// </summary>
public sealed partial class BackupCalendar(ScheduleLedger ledger, BackupDesk desk, IJournal journal, BackupAlerts alerts, TimeProvider time, ILogger<BackupCalendar> logger)
{
    private const int MostAttempts = 3;
    private const int Known = 400;

    private readonly ConcurrentDictionary<(string Stack, ScheduledWork Work), DateTimeOffset> _running = [];
    private readonly ConcurrentDictionary<(string Stack, ScheduledWork Work, DateTimeOffset Due), bool> _told = [];

    /// <summary>At start: runs in whose middle the daemon ended are begun again, a few times.</summary>
    public async Task RecoverAsync(CancellationToken cancellationToken)
    {
        foreach (var run in await ledger.InterruptedAsync(cancellationToken))
        {
            if (run.Attempts <= MostAttempts)
            {
                LogAgain(run.Work, run.Stack, run.DueAt, run.Attempts);
                Start(run.Stack, run.Work, run.DueAt);
                continue;
            }

            var problem = string.Create(CultureInfo.InvariantCulture, $"The daemon ended in the middle of it, {MostAttempts} times in a row.");
            await ledger.EndAsync(run.Stack, run.Work, run.DueAt, RunOutcome.Failure, problem, cancellationToken);
            alerts.Raise(run.Work == ScheduledWork.Drill ? "drill.failed" : "backup.failed", run.Stack, $"due {run.DueAt:yyyy-MM-dd HH:mm}Z", problem, "See the daemon's log, and how much memory it may have.");
        }
    }

    /// <summary>Begins what is due, and looks whether something of what was due is missing.</summary>
    public async Task LookAsync(CancellationToken cancellationToken)
    {
        foreach (var state in await journal.ListStacksAsync(cancellationToken))
        {
            if (state.CurrentRelease == 0 || await journal.FindReleaseAsync(state.Stack, state.CurrentRelease, cancellationToken) is not { } release) continue;

            var missing = 0;
            foreach (var schedule in BackupSchedule.Of(release.Stack))
            {
                var since = await ledger.SinceAsync(schedule, cancellationToken);
                await DueAsync(schedule, since, cancellationToken);
                missing += await MissingAsync(schedule, cancellationToken);
            }

            BackupMetrics.MissingOutcomes(state.Stack, missing);
        }
    }

    /// <summary>When the stack's schedules are due next.</summary>
    public async Task<ImmutableSortedDictionary<string, DateTimeOffset>> NextAsync(string stack, CancellationToken cancellationToken)
    {
        var next = ImmutableSortedDictionary.CreateBuilder<string, DateTimeOffset>(StringComparer.Ordinal);
        if (await journal.FindStackAsync(stack, cancellationToken) is not { CurrentRelease: > 0 } state) return next.ToImmutable();
        if (await journal.FindReleaseAsync(stack, state.CurrentRelease, cancellationToken) is not { } release) return next.ToImmutable();

        foreach (var schedule in BackupSchedule.Of(release.Stack))
        {
            if (DueTimes.Next(schedule, time.GetUtcNow(), CronTimes.Next) is { } at) next[schedule.Work.ToString().ToLowerInvariant()] = at;
        }

        return next.ToImmutable();
    }

    public async Task<bool> KnowsAsync(string stack, CancellationToken cancellationToken) => await journal.FindStackAsync(stack, cancellationToken) is not null;

    private async Task DueAsync(BackupSchedule schedule, DateTimeOffset since, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        if (DueTimes.IsAhead(since, now))
        {
            LogClockSetBack(schedule.Work, schedule.Stack, since);
            await ledger.SetBackAsync(schedule, now, cancellationToken);
            return;
        }

        if (DueTimes.Find(schedule, since, now, CronTimes.Next) is not { } due) return;
        if (_running.TryGetValue((schedule.Stack, schedule.Work), out var before))
        {
            await ledger.SkipAsync(schedule, due, $"the one that was due at {before:yyyy-MM-dd HH:mm}Z still runs", cancellationToken);
            LogSkipped(schedule.Work, schedule.Stack, due.At, before);
            return;
        }

        await ledger.BeginAsync(schedule, due, "the daemon was away, or the clock jumped; the latest due run is carried out instead", cancellationToken);
        Start(schedule.Stack, schedule.Work, due.At);
    }

    private void Start(string stack, ScheduledWork work, DateTimeOffset due)
    {
        _running[(stack, work)] = due;
        _ = work switch
        {
            ScheduledWork.Backup => desk.BackUp(stack, "schedule", over => EndAsync(work, due, over)),
            ScheduledWork.Dump => desk.Dump(stack, "schedule", over => EndAsync(work, due, over)),
            _ => desk.Drill(stack, null, over => EndAsync(work, due, over)),
        };
    }

    private async Task EndAsync(ScheduledWork work, DateTimeOffset due, BackupOperation over)
    {
        _running.TryRemove((over.Stack, work), out _);
        if (over.State == OperationState.Failed && desk.Board.Stopping) return;      // stays as running: the next start takes it up
        var outcome = over.State == OperationState.Succeeded ? RunOutcome.Success : RunOutcome.Failure;
        await ledger.EndAsync(over.Stack, work, due, outcome, over.Problem ?? over.Result, CancellationToken.None);
    }

    private async Task<int> MissingAsync(BackupSchedule schedule, CancellationToken cancellationToken)
    {
        var known = (await ledger.ListAsync(schedule.Stack, Known, cancellationToken)).Where(run => run.Work == schedule.Work).Select(run => run.DueAt).ToHashSet();
        if (known.Count == 0) return 0;                                             // its first time has not come

        var missing = MissingOutcomes.Find(schedule, known.Min(), known, time.GetUtcNow(), CronTimes.Next);
        foreach (var due in missing.Where(due => _told.TryAdd((schedule.Stack, schedule.Work, due), true)))
        {
            alerts.Raise(
                "backup.missing", schedule.Stack, $"{schedule.Work} due {due:yyyy-MM-dd HH:mm}Z", "Nothing is known of it: it neither succeeded, nor failed, nor was it skipped for a reason.",
                "The daemon did not carry its schedule out. See its log; 'basmalin backup run' makes a set now.");
        }

        return missing.Length;
    }

    [LoggerMessage(EventId = 5601, Level = LogLevel.Warning, Message = "The {Work} of {Stack} that was due at {Due} was under way when the daemon ended: it is begun again, attempt {Attempt}")]
    private partial void LogAgain(ScheduledWork work, string stack, DateTimeOffset due, int attempt);

    [LoggerMessage(EventId = 5602, Level = LogLevel.Warning, Message = "The {Work} of {Stack} that is due at {Due} is skipped: the one of {Before} still runs")]
    private partial void LogSkipped(ScheduledWork work, string stack, DateTimeOffset due, DateTimeOffset before);

    [LoggerMessage(EventId = 5603, Level = LogLevel.Warning, Message = "The clock was ahead and has been set right: the schedule of the {Work} of {Stack} had been carried out up to {Since}, and goes on from now")]
    private partial void LogClockSetBack(ScheduledWork work, string stack, DateTimeOffset since);
}
