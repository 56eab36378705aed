using System.Collections.Immutable;
using Orchestrator.Docker;
using Orchestrator.Stacks;

namespace Orchestrator.Healing;

/// <summary>Pure: what has become of a stack's replicas lately, and what was done for them.</summary>
public sealed record HealingHistory
{
    /// <summary>A loop of the engine's own restarts may be fast; more at once than this say no more.</summary>
    private const int MostDeathsAtOnce = 10;

    public static HealingHistory Empty { get; } = new();

    public ImmutableDictionary<ReplicaKey, ReplicaRecord> Replicas { get; init; } = ImmutableDictionary<ReplicaKey, ReplicaRecord>.Empty;

    /// <summary>When something was done for the stack, within the window, oldest first.</summary>
    public ImmutableArray<TimeSpan> Acts { get; init; } = [];

    public ReplicaRecord Of(ReplicaKey key) => Replicas.GetValueOrDefault(key) ?? new();

    public HealingHistory With(ReplicaKey key, ReplicaRecord record) => this with { Replicas = Replicas.SetItem(key, record) };

    /// <summary>After a look at the stack.</summary>
    /// <param name="heard">Container → how it ended last, as the engine's events told: what it says itself is lost when it is started again.</param>
    /// <param name="now">On a clock that is not set.</param>
    public HealingHistory Seen(StackPicture picture, IReadOnlyDictionary<ContainerId, Death> heard, TimeSpan now, TimeSpan window)
    {
        var history = this with { Acts = Recent(Acts, now, window) };
        var kept = history.Replicas.Select(pair => KeyValuePair.Create(pair.Key, pair.Value with { Acts = Recent(pair.Value.Acts, now, window), Deaths = pair.Value.Deaths.RemoveAll(death => death.At + window <= now), RestartedSick = pair.Value.RestartedSick + window > now ? pair.Value.RestartedSick : null }));
        history = history with { Replicas = kept.Where(pair => !IsIdle(pair.Value) && !IsBack(pair.Value, picture)).ToImmutableDictionary() };
        foreach (var spec in picture.Wanted)
            foreach (var seen in picture.Of(spec))
            {
                var key = new ReplicaKey(spec.Name, seen.Replica);
                history = history.With(key, Look(history.Of(key), picture, spec, seen, heard.GetValueOrDefault(seen.Id), now, window));
            }

        return history;
    }

    /// <summary>After something was done.</summary>
    /// <param name="problem">Why it came to nothing; null: it did not.</param>
    public HealingHistory Acted(HealingAct act, string? problem, TimeSpan now)
    {
        var (key, record) = (act.Key, Of(act.Key));
        var acts = act.IsRecycling && problem is null ? [] : record.Acts.Add(now);      // nothing was wrong, and nothing is: only what fails is counted against it
        var after = record with { Acts = acts, Problem = problem, Container = null, SickSince = null, HeavySince = null };
        return With(key, act is HealingAct.Restart { Recycles: false } ? after with { RestartedSick = now } : after) with { Acts = Acts.Add(now) };
    }

    public HealingHistory GivenUp(ReplicaKey key, Surrender surrender) => With(key, Of(key) with { GivenUp = surrender });

    private static ReplicaRecord Look(ReplicaRecord before, StackPicture picture, ServiceSpec spec, ObservedContainer seen, Death? heard, TimeSpan now, TimeSpan window)
    {
        var limit = spec.BasMalin?.Recycle?.Memory;
        var died = DeathsSince(before, seen);
        var death = new Death(now, seen.ExitCode ?? heard?.ExitCode, seen.OomKilled || heard?.OomKilled == true);
        var after = before with
        {
            Container = seen.Id.Value,
            FinishedAt = seen.FinishedAt,
            Restarts = seen.RestartCount,
            Deaths = before.Deaths.AddRange(Enumerable.Repeat(death, died)),
            SickSince = picture.Sick.ContainsKey(seen.Id) ? (before.Container == seen.Id.Value ? before.SickSince : null) ?? now : null,
            HeavySince = limit is { } bytes && picture.Memory.GetValueOrDefault(seen.Id) > bytes ? (before.Container == seen.Id.Value ? before.HeavySince : null) ?? now : null,
        };
        var well = seen.State == ContainerState.Running && after is { SickSince: null, Deaths.IsEmpty: true };
        return well && after.GivenUp is { } surrender && surrender.At + window <= now ? after with { GivenUp = null, Acts = [], Problem = null } : after;
    }

    /// <summary>A container that is new here has died once if it has ended; of one that is known, each end counts that was not there before.</summary>
    private static int DeathsSince(ReplicaRecord before, ObservedContainer seen)
    {
        if (before.Container != seen.Id.Value) return seen.State is ContainerState.Exited or ContainerState.Dead or ContainerState.Restarting ? 1 : 0;
        return seen.FinishedAt != before.FinishedAt && seen.FinishedAt is not null ? Math.Clamp(seen.RestartCount - before.Restarts, 1, MostDeathsAtOnce) : 0;
    }

    /// <summary>A volume that was missed is there again, or what needs it is.</summary>
    private static bool IsBack(ReplicaRecord record, StackPicture picture) => record.GivenUp is { Reason: Surrender.VolumeMissing } && picture.LostVolumes.IsEmpty;

    private static bool IsIdle(ReplicaRecord record) => record is { Acts.IsEmpty: true, Deaths.IsEmpty: true, GivenUp: null, Container: null, RestartedSick: null };

    private static ImmutableArray<TimeSpan> Recent(ImmutableArray<TimeSpan> times, TimeSpan now, TimeSpan window) => times.RemoveAll(at => at + window <= now);
}
