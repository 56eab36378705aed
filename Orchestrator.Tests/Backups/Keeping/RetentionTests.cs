using System.Collections.Immutable;
using CsCheck;
using Orchestrator.Backups;
using Orchestrator.Backups.Keeping;

namespace Orchestrator.Tests.Backups.Keeping;

public sealed class RetentionTests
{
    private static readonly DateTimeOffset Start = new(2026, 1, 1, 1, 0, 0, TimeSpan.Zero);

    [Test]
    public void Thirty_days_are_kept_unless_something_else_is_said()
    {
        var plan = Retention.Decide(Days(40), [], RetentionRules.Of(ImmutableSortedDictionary<string, int>.Empty, TimeSpan.Zero, TimeZoneInfo.Utc));

        Assert.That(Kept(plan), Is.EqualTo(Enumerable.Range(11, 30).Reverse()));
        Assert.That(plan.Decisions.Where(decision => !decision.Kept).SelectMany(decision => decision.Reasons).Distinct(), Is.EqualTo(new[] { "no rule keeps it" }));
    }

    [Test]
    public void Days_weeks_months_and_years_are_kept_by_count()
    {
        var plan = Retention.Decide(Days(800), [], new RetentionRules { Daily = 7, Weekly = 4, Monthly = 12, Yearly = 2 });

        Assert.That(Kept(plan), Has.Count.LessThanOrEqualTo(7 + 4 + 12 + 2).And.Count.GreaterThanOrEqualTo(7 + 2 + 11));
        Assert.That(Kept(plan).Take(7), Is.EqualTo(Enumerable.Range(794, 7).Reverse()));
        Assert.That(plan.Decisions[0].Reasons, Does.Contain("the newest verified of day 2028-03-10").And.Contains("the newest verified of month 2028-03"));
        Assert.That(Kept(plan), Does.Contain(730), "the last of 2027");
    }

    [Test]
    public void Nothing_goes_when_no_set_is_verified()
    {
        var plan = Retention.Decide(Days(100, verified: _ => false), ["garden/streams/postgres/wal/1/1/0"], new RetentionRules { Daily = 1 });

        Assert.That(plan.Decisions.All(decision => decision.Kept), Is.True);
        Assert.That(plan.StreamKeys, Is.Empty);
        Assert.That(plan.Decisions[99].Reasons, Does.Contain("no set is verified, so none is removed"));
    }

    [Test]
    public void The_last_good_one_stays_when_all_later_ones_fail()
    {
        var plan = Retention.Decide(Days(100, verified: day => day <= 10), [], new RetentionRules { Daily = 5, Verified = 1 });

        Assert.That(Kept(plan), Does.Contain(10));
        Assert.That(Kept(plan).Count(day => day > 10), Is.EqualTo(90), "those newer than it wait for their drill");
    }

    [Test]
    public void A_verified_set_of_a_day_is_preferred_and_days_without_one_do_not_use_up_the_count()
    {
        var sets = new[] { Set(1, Start, true), Set(2, Start.AddHours(1), false), Set(3, Start.AddDays(1), false), Set(4, Start.AddDays(2), true), Set(5, Start.AddDays(3), true), Set(6, Start.AddDays(4), true) };

        var plan = Retention.Decide(sets, [], new RetentionRules { Daily = 4, Verified = 1 });

        Assert.That(Kept(plan), Is.EqualTo(new[] { 6, 5, 4, 3, 1 }));
    }

    [Test]
    public void A_clock_that_jumps_far_ahead_takes_no_good_set_with_it()
    {
        // Set 31 and later are dated 2099.
        var sets = Enumerable.Range(1, 33).Select(day => Set(day, day > 30 ? Start.AddYears(73).AddDays(day) : Start.AddDays(day), true)).ToList();

        var byAge = Retention.Decide(sets, [], new RetentionRules { Daily = 0, Within = TimeSpan.FromDays(30), Verified = 1 });
        var byCount = Retention.Decide(sets, [], new RetentionRules { Daily = 30 });

        Assert.That(Kept(byAge), Has.Count.GreaterThanOrEqualTo(25), "the jump counts for seven days at most");
        Assert.That(Kept(byCount), Is.EqualTo(Enumerable.Range(4, 30).Reverse()));
    }

    [Test]
    public void A_clock_that_jumps_back_does_not_make_new_sets_older_than_old_ones()
    {
        // After set 30 the clock says 2001.
        var sets = Enumerable.Range(1, 35).Select(day => Set(day, day > 30 ? Start.AddYears(-25).AddDays(day) : Start.AddDays(day), true)).ToList();

        var byCount = Retention.Decide(sets, [], new RetentionRules { Daily = 5 });
        var byAge = Retention.Decide(sets, [], new RetentionRules { Daily = 0, Within = TimeSpan.FromDays(10), Verified = 1 });

        Assert.That(Kept(byCount), Is.EqualTo(new[] { 35, 34, 33, 32, 31 }));
        Assert.That(Kept(byAge), Is.EqualTo(Enumerable.Range(23, 13).Reverse()));
    }

    [Test]
    public void What_is_pinned_stays_with_its_reason()
    {
        var sets = Days(10).Select(set => set.Id.Sequence == 2 ? set with { Pinned = "deployment 7 may go back to it" } : set);

        var plan = Retention.Decide(sets, [], new RetentionRules { Daily = 3 });

        Assert.That(Kept(plan), Is.EqualTo(new[] { 10, 9, 8, 2 }));
        Assert.That(plan.Decisions.Single(decision => decision.Set.Sequence == 2).Reasons, Is.EqualTo(new[] { "deployment 7 may go back to it" }));
    }

    [Test]
    public void The_stream_is_cut_only_below_the_oldest_kept_base()
    {
        const string Wal = "garden/streams/postgres/wal/71/00000001/";
        var sets = Days(5, stream: day => $"{Wal}{day * 100:D10}").ToList();
        string[] keys = [.. Enumerable.Range(0, 60).Select(index => $"{Wal}{index * 10:D10}-{(index * 10) + 10:D10}.zst.age"), "garden/streams/postgres/wal/71/00000002/0000000600-0000000610.zst.age"];

        var plan = Retention.Decide(sets, keys, new RetentionRules { Daily = 2, Verified = 1 });

        Assert.That(Kept(plan), Is.EqualTo(new[] { 5, 4 }));
        Assert.That(plan.StreamKeys, Is.EqualTo(keys.Take(39)), "the slice before the base at 400 may reach into it");
    }

    [Test]
    public void Histories_of_time_lines_stay_with_the_stream()
    {
        const string Wal = "garden/streams/postgres/wal/71/";
        var sets = Days(3, stream: day => $"{Wal}00000004/{day * 100:D10}").ToList();
        string[] keys = [$"{Wal}00000002.history.zst.age", $"{Wal}00000003/0000000010-0000000020.zst.age", $"{Wal}00000003.history.zst.age", $"{Wal}00000004/0000000090-0000000100.zst.age", $"{Wal}00000004.history.zst.age"];

        var plan = Retention.Decide(sets, keys, new RetentionRules { Daily = 1, Verified = 1 });

        Assert.That(plan.StreamKeys, Is.EqualTo(new[] { $"{Wal}00000003/0000000010-0000000020.zst.age" }));
    }

    [Test]
    public void A_base_stays_while_nothing_newer_continues_its_stream()
    {
        const string Wal = "garden/streams/postgres/wal/71/00000001/";
        var sets = Days(20, stream: day => day == 3 ? $"{Wal}{day * 100:D10}" : null);

        var plan = Retention.Decide(sets, [$"{Wal}0000000000-0000000100.zst.age", $"{Wal}0000000200-0000000301.zst.age", $"{Wal}0000000301-0000000400.zst.age", $"{Wal}0000001900-0000002000.zst.age"], new RetentionRules { Daily = 5 });

        Assert.That(Kept(plan), Does.Contain(3));
        Assert.That(plan.Decisions.Single(decision => decision.Set.Sequence == 3).Reasons, Does.Contain("the stream of postgres continues from it"));
        Assert.That(plan.StreamKeys, Is.EqualTo(new[] { $"{Wal}0000000000-0000000100.zst.age" }));
    }

    [Test]
    public void A_stream_whose_base_is_not_there_yet_is_left_alone_and_one_whose_last_base_goes_goes_with_it()
    {
        var sets = Days(5, stream: day => day <= 2 ? $"garden/streams/postgres/wal/71/1/{day:D4}" : $"garden/streams/postgres/wal/72/1/{day:D4}");
        string[] keys = ["garden/streams/postgres/wal/71/1/0001", "garden/streams/postgres/wal/71/1/0002", "garden/streams/postgres/wal/72/1/0005", "garden/streams/postgres/wal/73/1/0001"];

        var plan = Retention.Decide(sets, keys, new RetentionRules { Daily = 1, Verified = 1 });

        Assert.That(plan.StreamKeys, Is.EquivalentTo(keys[..2]));
    }

    [Test]
    public void Days_are_those_of_the_zone()
    {
        var zone = TimeZoneInfo.FindSystemTimeZoneById("Europe/Sarajevo");
        var sets = new[] { Set(1, new(2026, 1, 1, 22, 30, 0, TimeSpan.Zero), true), Set(2, new(2026, 1, 1, 23, 30, 0, TimeSpan.Zero), true), Set(3, new(2026, 1, 2, 12, 0, 0, TimeSpan.Zero), true) };

        Assert.That(Kept(Retention.Decide(sets, [], new RetentionRules { Daily = 5, Verified = 1, Zone = zone })), Is.EqualTo(new[] { 3, 1 }));
        Assert.That(Kept(Retention.Decide(sets, [], new RetentionRules { Daily = 5, Verified = 1 })), Is.EqualTo(new[] { 3, 2 }));
    }

    [Test]
    public void Whatever_the_clock_and_the_rules_the_guards_hold()
    {
        var gen = Gen.Select(
            Gen.Select(Gen.Int[-400, 4000], Gen.Bool, Gen.Bool).Array[0, 60], Gen.Int[0, 5], Gen.Int[0, 3], Gen.Int[0, 20], Gen.Int[1, 4],
            (sets, daily, monthly, within, verified) => (sets, rules: new RetentionRules { Daily = daily, Monthly = monthly, Within = TimeSpan.FromDays(within), Verified = verified }));

        gen.Sample(sample =>
        {
            var sets = sample.sets.Select((set, index) => Set(index + 1, Start.AddHours(set.Item1 * 7), set.Item2, set.Item3 ? $"garden/streams/postgres/wal/1/1/{index:D5}" : null)).ToList();
            var keys = Enumerable.Range(0, sets.Count).Select(index => $"garden/streams/postgres/wal/1/1/{index:D5}").ToList();
            var plan = Retention.Decide(sets, keys, sample.rules);
            var kept = Kept(plan).ToHashSet();
            var good = sets.Where(set => set.Verified).ToList();
            var bases = sets.Where(set => kept.Contains((int)set.Id.Sequence)).SelectMany(set => set.StreamFrom.Values).ToList();

            return (good.Count > 0 || kept.Count == sets.Count)
                && good.Count(set => kept.Contains((int)set.Id.Sequence)) >= Math.Min(good.Count, sample.rules.Verified)
                && sets.AsEnumerable().Reverse().TakeWhile(set => !set.Verified).All(set => kept.Contains((int)set.Id.Sequence))
                && (!sets.Any(set => set.StreamFrom.Count > 0) || bases.Count > 0)
                && plan.StreamKeys.All(key => bases.All(from => string.CompareOrdinal(key, from) < 0));
        });
    }

    private static List<int> Kept(RetentionPlan plan) => [.. plan.Decisions.Where(decision => decision.Kept).Select(decision => (int)decision.Set.Sequence)];

    private static IEnumerable<RetentionSet> Days(int count, Func<int, bool>? verified = null, Func<int, string?>? stream = null) =>
        Enumerable.Range(1, count).Select(day => Set(day, Start.AddDays(day - 1), verified?.Invoke(day) ?? true, stream?.Invoke(day)));

    private static RetentionSet Set(long number, DateTimeOffset at, bool verified, string? stream = null) => new(
        BackupSetId.Of(number, at), at, verified,
        stream is null ? ImmutableSortedDictionary<string, string>.Empty : ImmutableSortedDictionary<string, string>.Empty.Add("postgres", stream));
}
