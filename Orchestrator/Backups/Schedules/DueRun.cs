namespace Orchestrator.Backups.Schedules;

/// <summary>When the next time of a cron expression is, in a zone, after an instant; null: never again.</summary>
public delegate DateTimeOffset? NextTime(string cron, string zone, DateTimeOffset after);

/// <summary>What is due now.</summary>
/// <param name="At">The latest time that has come.</param>
/// <param name="Missed">Earlier ones that were not carried out, oldest first; at most <see cref="DueTimes.MostMissed"/> of them.</param>
public sealed record DueRun(DateTimeOffset At, IReadOnlyList<DateTimeOffset> Missed);

/// <summary>Pure: from a schedule and how far it was carried out to what is due.</summary>
public static class DueTimes
{
    /// <summary>More than this are not counted one by one: the clock jumped, or the daemon was away for long.</summary>
    public const int MostMissed = 50;

    /// <summary>A clock that is set back by less than this is no matter.</summary>
    public static readonly TimeSpan Slack = TimeSpan.FromMinutes(2);

    /// <param name="since">Up to where the schedule has been carried out.</param>
    public static DueRun? Find(BackupSchedule schedule, DateTimeOffset since, DateTimeOffset now, NextTime next)
    {
        var missed = new Queue<DateTimeOffset>();
        var after = since;
        DateTimeOffset? latest = null;
        while (Next(schedule, after, next) is { } time && time <= now)
        {
            if (latest is { } earlier) missed.Enqueue(earlier);
            if (missed.Count > MostMissed) return LeapTo(schedule, now, next) ?? new(time, []);
            latest = after = time;
        }

        return latest is { } at ? new(at, [.. missed]) : null;
    }

    /// <summary>The next time after an instant, of whichever of its expressions comes first.</summary>
    public static DateTimeOffset? Next(BackupSchedule schedule, DateTimeOffset after, NextTime next) =>
        schedule.Crons.Select(cron => next(cron, schedule.Zone, after)).Where(time => time is not null).Min();

    /// <summary>True: what the journal says lies in a future that has not come. The clock was ahead, and has been set right.</summary>
    public static bool IsAhead(DateTimeOffset since, DateTimeOffset now) => since > now + Slack;

    // Back from now in growing steps, until a time is found: the latest one is what matters.
    private static DueRun? LeapTo(BackupSchedule schedule, DateTimeOffset now, NextTime next)
    {
        foreach (var back in new[] { TimeSpan.FromHours(1), TimeSpan.FromDays(1), TimeSpan.FromDays(8), TimeSpan.FromDays(32), TimeSpan.FromDays(370) })
        {
            DateTimeOffset? latest = null;
            var after = now - back;
            while (Next(schedule, after, next) is { } time && time <= now) latest = after = time;
            if (latest is { } at) return new(at, []);
        }

        return null;
    }
}
