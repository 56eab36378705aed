using System.Collections.Immutable;
using System.Globalization;
using Orchestrator.Benchmarks.Measuring;

namespace Orchestrator.Benchmarks.Chaos;

/// <summary>A run in tables.</summary>
internal static class ChaosReport
{
    /// <summary>Seconds.</summary>
    public const int WholeWithin = 30;

    private const double MoreMemory = 1.25;
    private const int MoreFiles = 32;
    private const int MoreThreads = 16;

    private static readonly ImmutableArray<ActKind> Engine = [ActKind.StopEngine, ActKind.StopEngineLive, ActKind.KillEngine, ActKind.KillEngineLive];

    public static Findings Of(ChaosRun run)
    {
        var excused = run.Excused.Values.Sum(one => one.Count);
        return new Findings("chaos", new { run, Excused = run.Excused.ToDictionary(one => one.Key.ToString(), one => one.Value.Count) }, Goals(run), [Acts(run, excused), .. Violations(run)]);
    }

    private static ImmutableArray<Goal> Goals(ChaosRun run)
    {
        var engine = run.Acts.Where(act => Engine.Contains(act.Kind)).ToList();
        var others = run.Acts.Where(act => !Engine.Contains(act.Kind) && act.Outcome is null && act.Kind > ActKind.RemoveCandidate).ToList();
        return
        [
            new("requests that failed without an excuse", "0", string.Create(CultureInfo.InvariantCulture, $"{run.Unexcused} of {run.Requests:#,0}"), run is { Unexcused: 0, Requests: > 0 }),
            new("violations", "0", run.Violations.Length.ToString(CultureInfo.InvariantCulture), run.Violations.IsEmpty),
            Whole("every replica there and served again after the engine's restart, the longest", engine),
            Whole("the same after any other blow, the longest", others),
            Growth(run.Holdings),
        ];
    }

    private static Goal Whole(string what, List<ChaosRecord> acts)
    {
        var longest = acts.Where(act => act.Whole is not null).Select(act => act.Whole).Max();
        return new(what, $"under {WholeWithin} s", longest is { } seconds ? Seconds(seconds) : "never", acts.All(act => act.Whole < WholeWithin));
    }

    /// <summary>
    /// The lowest of the first and of the last quarter: daemons come and go meanwhile, and connections that clients have not let go of yet are nothing that is
    /// lost, while a leak is in every look.
    /// </summary>
    private static Goal Growth(ImmutableArray<ChaosHoldings> seen)
    {
        const string What = "what the daemon holds when all has settled, at the end against the beginning";
        var wanted = string.Create(CultureInfo.InvariantCulture, $"at most {MoreMemory:0.00} × the memory, {MoreFiles} files and {MoreThreads} threads more");
        if (seen.IsEmpty) return new(What, wanted, "nothing was seen", false);

        var quarter = Math.Max(1, seen.Length / 4);
        var (early, late) = (Least(seen.Take(quarter)), Least(seen.TakeLast(quarter)));
        return new(
            What, wanted,
            string.Create(CultureInfo.InvariantCulture, $"{early.Megabytes:0} → {late.Megabytes:0} MB, {early.Files} → {late.Files} files, {early.Threads} → {late.Threads} threads"),
            late.Megabytes <= early.Megabytes * MoreMemory && late.Files <= early.Files + MoreFiles && late.Threads <= early.Threads + MoreThreads);
    }

    private static ChaosHoldings Least(IEnumerable<ChaosHoldings> seen)
    {
        var all = seen.ToList();
        return new(all.Max(one => one.At), all.Min(one => one.Megabytes), all.Min(one => one.Files), all.Min(one => one.Threads));
    }

    private static Table Acts(ChaosRun run, long excused) => new(
        string.Create(CultureInfo.InvariantCulture, $"Chaos: {run.Seconds / 60:0} minutes, seed {run.Seed}"),
        ["", "times", "ended as", "requests failed, excused", "the last of them after", "whole again: median", "longest"],
        [.. run.Acts.GroupBy(act => act.Kind).OrderBy(group => group.Key).Select(group => Row(group.Key, [.. group], run.Excused))])
    {
        Note = string.Create(
            CultureInfo.InvariantCulture,
            $"{run.Rounds} rounds with {run.Acts.Length} acts; {run.Requests:#,0} requests at {ChaosUsers.Rate} and {ChaosUsers.OtherRate} a second, {excused} failed with an excuse, {run.Unexcused} without one, {run.Violations.Length} violations."),
    };

    private static ImmutableArray<string> Row(ActKind kind, ImmutableArray<ChaosRecord> acts, ImmutableSortedDictionary<ActKind, (long Count, TimeSpan Longest)> excused)
    {
        var whole = acts.Select(act => act.Whole).OfType<double>().ToList();
        var outcomes = acts.Select(act => act.Outcome).OfType<string>().GroupBy(state => state).OrderBy(group => group.Key, StringComparer.Ordinal).Select(group => $"{group.Key} {group.Count()}");
        var (count, longest) = excused.GetValueOrDefault(kind);
        return
        [
            Words(kind), acts.Length.ToString(CultureInfo.InvariantCulture), string.Join(", ", outcomes), count.ToString(CultureInfo.InvariantCulture), count > 0 ? Seconds(longest.TotalSeconds) : "",
            whole.Count > 0 ? Seconds(Samples.Of(whole).Median) : "", whole.Count > 0 ? Seconds(whole.Max()) : "",
        ];
    }

    private static IEnumerable<Table> Violations(ChaosRun run) => run.Violations.IsEmpty
        ? []
        : [new Table("Violations", ["what", "at", "round"], [.. run.Violations.Select(one => ImmutableArray.Create(one.What.ReplaceLineEndings(" "), Seconds(one.At), one.Round))])];

    private static string Words(ActKind kind) => kind switch
    {
        ActKind.Deploy => "deploy of a good version",
        ActKind.DeployFailing => "deploy of a version that fails (gate, exit, smoke, bake)",
        ActKind.WarmRollback => "warm rollback",
        ActKind.ColdRollback => "cold rollback",
        ActKind.Cancel => "deploy, cancelled in its midst",
        ActKind.RemoveCandidate => "deploy, its candidate removed by hand",
        ActKind.KillDaemon => "kill -9 of the daemon",
        ActKind.RestartDaemon => "restart of the daemon (SIGTERM, no socket unit)",
        ActKind.StopEngine => "engine restarted (SIGTERM)",
        ActKind.StopEngineLive => "engine restarted (SIGTERM), live-restore",
        ActKind.KillEngine => "engine killed and started",
        ActKind.KillEngineLive => "engine killed and started, live-restore",
        ActKind.FreezeEngine => "engine frozen for 1 to 6 s",
        ActKind.RemoveReplica => "one of two replicas removed",
        ActKind.RemoveOnlyReplica => "the only replica removed",
        ActKind.RemoveStateful => "the stateful service removed",
        _ => "a network removed",
    };

    private static string Seconds(double value) => string.Create(CultureInfo.InvariantCulture, $"{value:0.0} s");
}
