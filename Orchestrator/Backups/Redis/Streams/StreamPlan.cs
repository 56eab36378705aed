using System.Collections.Immutable;

namespace Orchestrator.Backups.Redis.Streams;

/// <summary>Pure: which copy of the data, and which slices of the stream after it, lead to a moment.</summary>
/// <param name="Base">Where to begin.</param>
/// <param name="Slices">What follows it without a gap, in order; they may overlap.</param>
/// <param name="NextBase">When there was the next copy behind the end of the slices, unix time; null: none. What was written between is lost to this plan.</param>
internal sealed record StreamPlan(StreamBase Base, ImmutableArray<StreamObject.Slice> Slices, long? NextBase)
{
    /// <summary>Offset up to which the slices reach.</summary>
    public RedisPosition End => Slices.IsEmpty ? Base.At : new(Slices[^1].At.History, Slices[^1].End);

    /// <param name="set">The set's own copy; null: it does not say where in the stream it stands.</param>
    /// <returns>Null when no copy is old enough, or the position is in no history that was received.</returns>
    public static StreamPlan? For(RestorePoint point, StreamBase? set, IReadOnlyCollection<StreamObject> objects)
    {
        ImmutableArray<StreamBase> bases = [.. Bases(set, objects).OrderBy(item => item.Seconds).ThenBy(item => item.At.Offset)];
        return point switch
        {
            RestorePoint.Latest => bases.IsEmpty ? null : From(bases[^1], objects, bases),
            RestorePoint.At { Time: var time } => bases.LastOrDefault(item => item.Seconds <= time.ToUnixTimeSeconds()) is { } newest ? From(newest, objects, bases) : null,
            _ => null,
        };
    }

    public static StreamPlan? For(RedisPosition position, StreamBase? set, IReadOnlyCollection<StreamObject> objects) =>
        Bases(set, objects).OrderByDescending(item => item.Seconds).Select(item => From(item, objects, [])).FirstOrDefault(plan => plan.Reaches(position));

    private static IEnumerable<StreamBase> Bases(StreamBase? set, IEnumerable<StreamObject> objects)
    {
        var own = objects.OfType<StreamObject.Base>().Select(item => new StreamBase(item.At, item.Seconds, item.Key));
        return set is null ? own : own.Append(set);
    }

    /// <summary>The position lies between the copy and the end, in one of the histories on the way.</summary>
    private bool Reaches(RedisPosition position) =>
        (position.History == Base.At.History || Slices.Any(slice => slice.At.History == position.History)) && position.Offset >= Base.At.Offset && position.Offset <= End.Offset;

    /// <summary>Those that lead on from the offset without a gap, each the one that reaches furthest: slices may repeat what others have.</summary>
    private static IEnumerable<StreamObject.Slice> Cover(IEnumerable<StreamObject.Slice> slices, long reached)
    {
        StreamObject.Slice? best = null;
        foreach (var slice in slices.OrderBy(slice => slice.At.Offset))
        {
            if (slice.At.Offset > reached)
            {
                if (best is null) yield break;
                yield return best;
                (reached, best) = (best.End, null);
                if (slice.At.Offset > reached) yield break;
            }

            if (slice.End > (best?.End ?? reached)) best = slice;
        }

        if (best is not null) yield return best;
    }

    private static StreamPlan From(StreamBase start, IReadOnlyCollection<StreamObject> objects, ImmutableArray<StreamBase> bases)
    {
        var chosen = ImmutableArray.CreateBuilder<StreamObject.Slice>();
        var ofHistory = objects.OfType<StreamObject.Slice>().ToLookup(slice => slice.At.History);
        var at = start.At;
        while (true)
        {
            foreach (var next in Cover(ofHistory[at.History], at.Offset))
            {
                chosen.Add(next);
                at = at with { Offset = next.End };
            }

            if (objects.OfType<StreamObject.Continuation>().FirstOrDefault(item => item.Before == at.History && item.At.Offset == at.Offset) is { } goesOn)
            {
                at = goesOn.At;
            }
            else
            {
                // Another copy behind the end means that the stream was broken there.
                return new(start, chosen.ToImmutable(), bases.FirstOrDefault(item => item.Seconds > start.Seconds && (item.At.History != at.History || item.At.Offset > at.Offset))?.Seconds);
            }
        }
    }
}

/// <param name="Seconds">When the copy was taken, unix time.</param>
/// <param name="Key">Of the stream's own copies; null: the set's.</param>
internal sealed record StreamBase(RedisPosition At, long Seconds, string? Key);
