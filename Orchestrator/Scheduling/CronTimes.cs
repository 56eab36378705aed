using Quartz;

namespace Orchestrator.Scheduling;

/// <summary>Cron expressions of five fields. Where both a day of the month and one of the week are given, either will do, as in cron(8).</summary>
public static class CronTimes
{
    /// <param name="zone">Identifier of the time zone. A time that a change of the clocks skips is made up for, one that comes twice is once.</param>
    /// <returns>Null: never again.</returns>
    public static DateTimeOffset? Next(string cron, string zone, DateTimeOffset after)
    {
        var place = TimeZoneInfo.FindSystemTimeZoneById(zone);
        var times = Alternatives(cron).Select(one => CronExpression.Parse(one, CronFormat.Unix).WithTimeZone(place).GetNextValidTimeAfter(after)).OfType<DateTimeOffset>().ToList();
        return times.Count == 0 ? null : times.Min();
    }

    private static string[] Alternatives(string cron) =>
        cron.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries) is [var minute, var hour, not "*" and var day, var month, not "*" and var weekday]
            ? [$"{minute} {hour} {day} {month} *", $"{minute} {hour} * {month} {weekday}"]
            : [cron];
}
