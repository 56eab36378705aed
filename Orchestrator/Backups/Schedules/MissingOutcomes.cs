using System.Collections.Immutable;

namespace Orchestrator.Backups.Schedules;

/// <summary>Pure: which due times have nothing written down about them, though their time is well over.</summary>
public static class MissingOutcomes
{
    /// <summary>How long after its time a run must at least have begun.</summary>
    public static readonly TimeSpan Grace = TimeSpan.FromMinutes(30);

    /// <param name="since">Since when the schedule is known; earlier times were nobody's.</param>
    /// <param name="known">What is written down of it.</param>
    public static ImmutableArray<DateTimeOffset> Find(BackupSchedule schedule, DateTimeOffset since, IReadOnlyCollection<DateTimeOffset> known, DateTimeOffset now, NextTime next)
    {
        var missing = ImmutableArray.CreateBuilder<DateTimeOffset>();
        var after = since;
        while (missing.Count < DueTimes.MostMissed && DueTimes.Next(schedule, after, next) is { } time && time <= now - Grace)
        {
            if (!known.Contains(time)) missing.Add(time);
            after = time;
        }

        return missing.ToImmutable();
    }
}
