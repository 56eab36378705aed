using Orchestrator.Healing;
using Orchestrator.Scheduling;
using Orchestrator.Stacks;

namespace Orchestrator.Tests.Healing;

/// <summary>When a replica's time has come, with nothing but its start to tell.</summary>
public sealed class RecycleScheduleTests
{
    private static readonly RecycleSchedule Schedule = new(CronTimes.Next);
    private static readonly RecycleSpec Nightly = new(null, "0 2 * * *") { Zone = "Europe/Ljubljana" };
    private static readonly DateTimeOffset Release = At("2026-03-01 10:00");

    [TestCase("2026-03-02 00:59", false)]
    [TestCase("2026-03-02 01:00", true, Description = "02:00 in Ljubljana")]
    [TestCase("2026-03-05 12:00", true, Description = "the nights that were missed are made up for")]
    public void It_has_come_once_a_time_lies_between_its_start_and_now(string now, bool due) =>
        Assert.That(Schedule.IsDue(Nightly, At("2026-03-01 12:00"), Release, At(now)), Is.EqualTo(due));

    [Test]
    public void What_was_recycled_is_not_due_again() =>
        Assert.That(Schedule.IsDue(Nightly, At("2026-03-02 01:01"), Release, At("2026-03-02 23:00")), Is.False);

    [Test]
    public void A_rule_that_is_new_does_not_reach_back() =>
        Assert.That(Schedule.IsDue(Nightly, At("2026-01-01 12:00"), At("2026-03-02 08:00"), At("2026-03-02 09:00")), Is.False);

    [Test]
    public void A_clock_that_was_set_back_and_a_rule_of_memory_alone_have_nothing_due()
    {
        Assert.That(Schedule.IsDue(Nightly, At("2026-03-09 12:00"), Release, At("2026-03-05 12:00")), Is.False);
        Assert.That(Schedule.IsDue(new(1 << 30, null), At("2026-03-01 12:00"), Release, At("2026-03-05 12:00")), Is.False);
    }

    private static DateTimeOffset At(string text) => DateTimeOffset.Parse(text + "Z", System.Globalization.CultureInfo.InvariantCulture);
}
