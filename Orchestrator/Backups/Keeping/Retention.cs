using System.Collections.Immutable;
using System.Globalization;

namespace Orchestrator.Backups.Keeping;

/// <summary>
/// Decides which sets go. Pure. The order of sets is that of their numbers, never of their times: a clock that jumps can move a set into another day,
/// but not behind an older one. Ages are summed up along the sets, and no gap between two of them counts for more than <see cref="LargestGap"/>.
/// </summary>
public static class Retention
{
    private static readonly TimeSpan LargestGap = TimeSpan.FromDays(7);

    /// <param name="streams">Keys of all continuous streams of the stack, in any order.</param>
    public static RetentionPlan Decide(IEnumerable<RetentionSet> sets, IEnumerable<string> streams, RetentionRules rules)
    {
        var newestFirst = sets.OrderByDescending(set => set.Id.Sequence).ThenByDescending(set => set.Id.Value, StringComparer.Ordinal).ToImmutableArray();
        var reasons = newestFirst.ToDictionary(set => set.Id, _ => new List<string>());
        Guard(newestFirst, rules, reasons);
        foreach (var (count, period, label) in Periods(rules)) Keep(newestFirst, count, period, label, reasons);
        Young(newestFirst, rules.Within, reasons);

        var decisions = newestFirst.Select(set => reasons[set.Id] is { Count: > 0 } why
            ? new RetentionDecision(set.Id, Kept: true, [.. why])
            : new RetentionDecision(set.Id, Kept: false, ["no rule keeps it"])).ToImmutableArray();
        var kept = newestFirst.Where(set => reasons[set.Id].Count > 0).ToImmutableArray();
        var streamKeys = newestFirst.Any(set => set.Verified) ? Trim(newestFirst, kept, streams) : [];
        return new RetentionPlan(decisions, streamKeys);
    }

    /// <summary>What must stay whatever the rules say.</summary>
    private static void Guard(ImmutableArray<RetentionSet> newestFirst, RetentionRules rules, Dictionary<BackupSetId, List<string>> reasons)
    {
        var verified = newestFirst.Where(set => set.Verified).ToList();
        foreach (var set in newestFirst)
        {
            if (set.Pinned is { } why) reasons[set.Id].Add(why);
            if (verified.Count == 0) reasons[set.Id].Add("no set is verified, so none is removed");
        }

        foreach (var set in verified.Take(Math.Max(1, rules.Verified))) reasons[set.Id].Add($"one of the {Math.Max(1, rules.Verified)} newest that are verified");
        foreach (var set in newestFirst.TakeWhile(set => !set.Verified)) reasons[set.Id].Add("newer than every verified one");

        // What is received now continues from the newest base, and is surely good from the newest verified one.
        foreach (var service in newestFirst.SelectMany(set => set.StreamFrom.Keys).Distinct())
        {
            if (newestFirst.FirstOrDefault(set => set.StreamFrom.ContainsKey(service)) is { } newest) reasons[newest.Id].Add($"the stream of {service} continues from it");
            if (verified.FirstOrDefault(set => set.StreamFrom.ContainsKey(service)) is { } sure) reasons[sure.Id].Add($"the newest verified base of the stream of {service}");
        }
    }

    private static IEnumerable<(int Count, Func<DateTime, string> Period, string Label)> Periods(RetentionRules rules)
    {
        Func<DateTime, string> In(Func<DateTime, string> format) => at => format(TimeZoneInfo.ConvertTimeFromUtc(at, rules.Zone));
        yield return (rules.Daily, In(at => at.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture)), "day");
        yield return (rules.Weekly, In(at => $"{ISOWeek.GetYear(at)}-W{ISOWeek.GetWeekOfYear(at):00}"), "week");
        yield return (rules.Monthly, In(at => at.ToString("yyyy-MM", CultureInfo.InvariantCulture)), "month");
        yield return (rules.Yearly, In(at => at.ToString("yyyy", CultureInfo.InvariantCulture)), "year");
    }

    /// <summary>One set of each period, the newest that is verified. A period without a verified one keeps its newest and does not count.</summary>
    private static void Keep(
        ImmutableArray<RetentionSet> newestFirst, int count, Func<DateTime, string> period, string label, Dictionary<BackupSetId, List<string>> reasons)
    {
        foreach (var group in newestFirst.GroupBy(set => period(set.CreatedAt.UtcDateTime)))
        {
            if (count == 0) return;
            if (group.FirstOrDefault(set => set.Verified) is { } verified)
            {
                reasons[verified.Id].Add($"the newest verified of {label} {group.Key}");
                count--;
            }
            else
            {
                reasons[group.First().Id].Add($"the newest of {label} {group.Key}, which has no verified one");
            }
        }
    }

    private static void Young(ImmutableArray<RetentionSet> newestFirst, TimeSpan within, Dictionary<BackupSetId, List<string>> reasons)
    {
        var age = TimeSpan.Zero;
        for (var index = 0; index < newestFirst.Length && within > TimeSpan.Zero; index++)
        {
            if (index > 0)
            {
                var gap = newestFirst[index - 1].CreatedAt - newestFirst[index].CreatedAt;
                age += gap < TimeSpan.Zero ? TimeSpan.Zero : gap > LargestGap ? LargestGap : gap;
            }

            // The first one that is older still stays: what was received since it begins there.
            reasons[newestFirst[index].Id].Add(age <= within ? $"not older than {within.TotalDays:0.#} days" : $"the base for the {within.TotalDays:0.#} days before which nothing is asked for");
            if (age > within) return;
        }
    }

    /// <summary>
    /// What of the streams nobody needs: in each place (see <see cref="Place"/>) what lies before the oldest kept base, but for the last key before it,
    /// which may reach into it. A place without a kept base goes only with its last base: a new stream may have begun whose base is still being taken.
    /// </summary>
    private static ImmutableArray<string> Trim(ImmutableArray<RetentionSet> all, ImmutableArray<RetentionSet> kept, IEnumerable<string> streams)
    {
        var gone = ImmutableArray.CreateBuilder<string>();
        var had = all.SelectMany(set => set.StreamFrom.Values).Select(Place).ToHashSet(StringComparer.Ordinal);
        var oldest = kept.SelectMany(set => set.StreamFrom.Values).GroupBy(Place).ToDictionary(group => group.Key, group => group.Min(StringComparer.Ordinal) ?? "", StringComparer.Ordinal);
        foreach (var place in streams.GroupBy(Place))
        {
            var keys = place.Order(StringComparer.Ordinal).ToList();
            if (oldest.TryGetValue(place.Key, out var from))
            {
                // What tells how the time lines hang together is small, and needed by every one that follows.
                keys.RemoveAll(IsHistory);
                gone.AddRange(keys.Take(keys.Count(key => string.CompareOrdinal(key, from) <= 0) - 1));
            }
            else if (had.Contains(place.Key))
            {
                gone.AddRange(keys);
            }
        }

        return gone.ToImmutable();
    }

    /// <summary><c>garden/streams/postgres/wal/SYSTEM/00000002.history.zst.age</c></summary>
    private static bool IsHistory(string key) => key.Split('/') is [_, "streams", _, "wal", _, var name] && name.Split('.') is [_, "history", ..];

    /// <summary><c>garden/streams/postgres/wal/SYSTEM/TIMELINE/LSN</c> → up to the system: the time lines of one system follow each other.</summary>
    private static string Place(string key)
    {
        var parts = key.Split('/');
        return string.Join('/', parts.Take(Math.Min(parts.Length - 1, 5)));
    }
}
