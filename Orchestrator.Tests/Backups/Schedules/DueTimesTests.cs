using Orchestrator.Backups.Schedules;
using Orchestrator.Scheduling;

namespace Orchestrator.Tests.Backups.Schedules;

/// <summary>From how far a schedule was carried out, and the clock, to what is due.</summary>
public sealed class DueTimesTests
{
    private static readonly BackupSchedule Nightly = new("garden", ScheduledWork.Backup, ["0 1 * * *"], "Europe/Ljubljana");

    [Test]
    public void Nothing_is_due_before_its_time() => Assert.That(Find(Nightly, "2026-11-25T00:30:00Z", "2026-11-25T23:59:59Z"), Is.Null);

    [Test]
    public void A_run_is_due_when_its_time_has_come_in_its_zone()
    {
        var due = Find(Nightly, "2026-11-25T00:30:00Z", "2026-11-26T00:00:01Z");

        Assert.That(due!.At, Is.EqualTo(At("2026-11-26T00:00:00Z")));
        Assert.That(due.Missed, Is.Empty);
    }

    [Test]
    public void A_night_that_was_missed_is_due_once_and_the_ones_before_it_are_told()
    {
        var due = Find(Nightly, "2026-11-20T12:00:00Z", "2026-11-24T08:00:00Z");

        Assert.That(due!.At, Is.EqualTo(At("2026-11-24T00:00:00Z")));
        Assert.That(due.Missed, Is.EqualTo(new[] { At("2026-11-21T00:00:00Z"), At("2026-11-22T00:00:00Z"), At("2026-11-23T00:00:00Z") }));
    }

    [Test]
    public void What_was_carried_out_is_not_due_again() => Assert.That(Find(Nightly, "2026-11-26T00:00:00Z", "2026-11-26T00:00:30Z"), Is.Null);

    [Test]
    public void A_clock_that_leaps_years_ahead_makes_one_run_due_and_not_thousands()
    {
        var due = Find(new("garden", ScheduledWork.Backup, ["*/5 * * * *"], "UTC"), "2026-11-26T00:00:00Z", "2031-01-01T00:02:00Z");

        Assert.That(due!.At, Is.EqualTo(At("2031-01-01T00:00:00Z")));
        Assert.That(due.Missed, Is.Empty);
    }

    [TestCase("2026-11-26T00:00:00Z", false)]
    [TestCase("2026-11-26T00:01:30Z", false)]
    [TestCase("2031-01-01T00:00:00Z", true)]
    public void A_record_from_a_future_that_has_not_come_is_noticed(string since, bool ahead) =>
        Assert.That(DueTimes.IsAhead(At(since), At("2026-11-26T00:00:00Z")), Is.EqualTo(ahead));

    [Test]
    public void A_time_that_the_change_to_summer_leaves_out_is_not_lost()
    {
        // On 2026-03-29 there is no 02:30 in Ljubljana.
        var due = Find(new("garden", ScheduledWork.Backup, ["30 2 * * *"], "Europe/Ljubljana"), "2026-03-28T12:00:00Z", "2026-03-30T12:00:00Z");

        Assert.That(due!.At, Is.EqualTo(At("2026-03-30T00:30:00Z")));
    }

    [Test]
    public void Of_several_services_the_earliest_time_counts()
    {
        var both = new BackupSchedule("garden", ScheduledWork.Backup, ["0 1 * * *", "0 3 * * 1"], "UTC");

        Assert.That(DueTimes.Next(both, At("2026-11-23T02:00:00Z"), CronTimes.Next), Is.EqualTo(At("2026-11-23T03:00:00Z")));
        Assert.That(DueTimes.Next(both, At("2026-11-24T02:00:00Z"), CronTimes.Next), Is.EqualTo(At("2026-11-25T01:00:00Z")));
    }

    [Test]
    public void A_due_time_of_which_nothing_is_written_down_is_missing_once_its_grace_is_over()
    {
        DateTimeOffset[] known = [At("2026-11-22T00:00:00Z"), At("2026-11-24T00:00:00Z")];

        Assert.That(
            MissingOutcomes.Find(Nightly, known[0], known, At("2026-11-25T00:10:00Z"), CronTimes.Next), Is.EqualTo(new[] { At("2026-11-23T00:00:00Z") }));
        Assert.That(
            MissingOutcomes.Find(Nightly, known[0], known, At("2026-11-25T00:31:00Z"), CronTimes.Next),
            Is.EqualTo(new[] { At("2026-11-23T00:00:00Z"), At("2026-11-25T00:00:00Z") }));
    }

    private static DueRun? Find(BackupSchedule schedule, string since, string now) => DueTimes.Find(schedule, At(since), At(now), CronTimes.Next);

    private static DateTimeOffset At(string text) => DateTimeOffset.Parse(text, System.Globalization.CultureInfo.InvariantCulture);
}
