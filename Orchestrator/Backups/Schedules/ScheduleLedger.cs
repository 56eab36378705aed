using System.Collections.Immutable;
using Orchestrator.Journal.Sqlite;

namespace Orchestrator.Backups.Schedules;

/// <summary>What became of a due run.</summary>
public enum RunOutcome
{
    Running,
    Success,
    Failure,

    /// <summary>Not carried out, and the detail says why.</summary>
    Skipped,
}

/// <param name="Detail">The set that was made, or why there is none.</param>
/// <param name="Attempts">How often it was begun: the daemon may have ended in the middle.</param>
public sealed record ScheduledRun(string Stack, ScheduledWork Work, DateTimeOffset DueAt, RunOutcome Outcome, string? Detail, DateTimeOffset At, int Attempts);

/// <summary>The record of schedules: up to where each was carried out, and what became of each due run.</summary>
public sealed class ScheduleLedger(SqliteDatabase database, TimeProvider time)
{
    private const string Columns = "stack, kind, due_at AS dueAt, outcome, detail, at, attempts";

    /// <summary>Up to where the schedule has been carried out. One that is new, or says something else than before, begins now.</summary>
    public Task<DateTimeOffset> SinceAsync(BackupSchedule schedule, CancellationToken cancellationToken) => database.WriteAsync(session =>
    {
        var key = new { schedule.Stack, Kind = Word(schedule.Work), Cron = schedule.Identity, schedule.Zone, Now = Timestamp.Write(time.GetUtcNow()) };
        session.Execute(
            """
            INSERT INTO backup_schedules (stack, kind, cron, zone, since) VALUES (@Stack, @Kind, @Cron, @Zone, @Now)
            ON CONFLICT (stack, kind) DO UPDATE SET cron = @Cron, zone = @Zone, since = @Now WHERE cron <> @Cron OR zone <> @Zone
            """, key);
        return Timestamp.Read(session.Scalar<string>("SELECT since FROM backup_schedules WHERE stack = @Stack AND kind = @Kind", key));
    }, cancellationToken);

    /// <summary>The clock was ahead and has been set right: the schedule goes on from now.</summary>
    public Task SetBackAsync(BackupSchedule schedule, DateTimeOffset now, CancellationToken cancellationToken) => database.WriteAsync(
        session => session.Execute("UPDATE backup_schedules SET since = @Now WHERE stack = @Stack AND kind = @Kind", new { schedule.Stack, Kind = Word(schedule.Work), Now = Timestamp.Write(now) }), cancellationToken);

    /// <summary>One transaction: the missed ones are skipped with a reason, the due one is running, and the schedule is carried out up to it.</summary>
    public Task BeginAsync(BackupSchedule schedule, DueRun due, string whyMissed, CancellationToken cancellationToken) => database.WriteAsync(session =>
    {
        foreach (var missed in due.Missed) Write(session, new(schedule.Stack, schedule.Work, missed, RunOutcome.Skipped, whyMissed, time.GetUtcNow(), 0));
        Write(session, new(schedule.Stack, schedule.Work, due.At, RunOutcome.Running, null, time.GetUtcNow(), 1));
        session.Execute("UPDATE backup_schedules SET since = @At WHERE stack = @Stack AND kind = @Kind", new { schedule.Stack, Kind = Word(schedule.Work), At = Timestamp.Write(due.At) });
    }, cancellationToken);

    /// <summary>The same for a due run that is not carried out.</summary>
    public Task SkipAsync(BackupSchedule schedule, DueRun due, string why, CancellationToken cancellationToken) => database.WriteAsync(session =>
    {
        foreach (var missed in due.Missed.Append(due.At)) Write(session, new(schedule.Stack, schedule.Work, missed, RunOutcome.Skipped, why, time.GetUtcNow(), 0));
        session.Execute("UPDATE backup_schedules SET since = @At WHERE stack = @Stack AND kind = @Kind", new { schedule.Stack, Kind = Word(schedule.Work), At = Timestamp.Write(due.At) });
    }, cancellationToken);

    public Task EndAsync(string stack, ScheduledWork work, DateTimeOffset dueAt, RunOutcome outcome, string? detail, CancellationToken cancellationToken) => database.WriteAsync(
        session => session.Execute(
            "UPDATE backup_outcomes SET outcome = @Outcome, detail = @Detail, at = @At WHERE stack = @Stack AND kind = @Kind AND due_at = @Due",
            new { Stack = stack, Kind = Word(work), Due = Timestamp.Write(dueAt), Outcome = Word(outcome), Detail = detail, At = Timestamp.Write(time.GetUtcNow()) }),
        cancellationToken);

    /// <summary>Runs that were under way when the daemon ended; each counts one attempt more.</summary>
    public Task<ImmutableArray<ScheduledRun>> InterruptedAsync(CancellationToken cancellationToken) => database.WriteAsync<ImmutableArray<ScheduledRun>>(session =>
    {
        session.Execute("UPDATE backup_outcomes SET attempts = attempts + 1 WHERE outcome = 'running'");
        return [.. session.Query<Row>($"SELECT {Columns} FROM backup_outcomes WHERE outcome = 'running'").Select(Read)];
    }, cancellationToken);

    public Task<ScheduledRun?> FindAsync(string stack, ScheduledWork work, DateTimeOffset dueAt, CancellationToken cancellationToken) => database.ReadAsync(
        session => session.Find<Row>(
            $"SELECT {Columns} FROM backup_outcomes WHERE stack = @Stack AND kind = @Kind AND due_at = @Due", new { Stack = stack, Kind = Word(work), Due = Timestamp.Write(dueAt) }) is { } row ? Read(row) : null,
        cancellationToken);

    /// <summary>Newest first.</summary>
    public Task<ImmutableArray<ScheduledRun>> ListAsync(string stack, int limit, CancellationToken cancellationToken) => database.ReadAsync<ImmutableArray<ScheduledRun>>(
        session => [.. session.Query<Row>($"SELECT {Columns} FROM backup_outcomes WHERE stack = @Stack ORDER BY due_at DESC, kind LIMIT @Limit", new { Stack = stack, Limit = limit }).Select(Read)],
        cancellationToken);

    /// <summary>Forgets outcomes that are older.</summary>
    public Task PruneAsync(DateTimeOffset before, CancellationToken cancellationToken) => database.WriteAsync(
        session => session.Execute("DELETE FROM backup_outcomes WHERE due_at < @Before AND outcome <> 'running'", new { Before = Timestamp.Write(before) }), cancellationToken);

    private static void Write(SqliteSession session, ScheduledRun run) => session.Execute(
        """
        INSERT INTO backup_outcomes (stack, kind, due_at, outcome, detail, at, attempts) VALUES (@Stack, @Kind, @Due, @Outcome, @Detail, @At, @Attempts)
        ON CONFLICT (stack, kind, due_at) DO UPDATE SET outcome = @Outcome, detail = @Detail, at = @At
        """,
        new { run.Stack, Kind = Word(run.Work), Due = Timestamp.Write(run.DueAt), Outcome = Word(run.Outcome), run.Detail, At = Timestamp.Write(run.At), run.Attempts });

    private static ScheduledRun Read(Row row) => new(
        row.Stack, Enum.Parse<ScheduledWork>(row.Kind, ignoreCase: true), Timestamp.Read(row.DueAt), Enum.Parse<RunOutcome>(row.Outcome, ignoreCase: true), row.Detail, Timestamp.Read(row.At), checked((int)row.Attempts));

    private static string Word<T>(T value) where T : struct, Enum => value.ToString().ToLowerInvariant();

    private sealed record Row(string Stack, string Kind, string DueAt, string Outcome, string? Detail, string At, long Attempts);
}
