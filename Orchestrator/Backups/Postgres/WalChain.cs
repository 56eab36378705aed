using System.Collections.Immutable;

namespace Orchestrator.Backups.Postgres;

/// <summary>Pure: which pieces give an unbroken log, how far it reaches, and where it is broken.</summary>
public static class WalChain
{
    /// <summary>
    /// The pieces that reach furthest from the stretch's start without a break. Pieces may overlap and repeat: a whole segment is stored before the slices
    /// that it replaces are removed.
    /// </summary>
    public static WalCover Cover(IEnumerable<WalPiece> pieces, WalStretch stretch)
    {
        var sorted = pieces.Where(piece => piece.Timeline == stretch.Timeline && piece.End > stretch.Start)
            .OrderBy(piece => piece.Start).ThenByDescending(piece => piece.End).ToList();
        var chosen = ImmutableArray.CreateBuilder<WalPiece>();
        var (reached, next) = (stretch.Start, 0);
        while (stretch.End is not { } end || reached < end)
        {
            WalPiece? best = null;
            for (; next < sorted.Count && sorted[next].Start <= reached; next++)
            {
                if (sorted[next].End > reached && (best is null || sorted[next].End > best.End)) best = sorted[next];
            }

            if (best is null) break;
            chosen.Add(best);
            reached = best.End;
        }

        return new(chosen.ToImmutable(), reached, next < sorted.Count && sorted[next].Start > reached ? sorted[next].Start : null);
    }

    /// <summary>All breaks from a base to the end of a timeline, oldest first. What lies beyond the last piece is no break but is yet to come.</summary>
    public static ImmutableArray<WalGap> Gaps(IReadOnlyCollection<WalPiece> pieces, IEnumerable<WalStretch> stretches)
    {
        var gaps = ImmutableArray.CreateBuilder<WalGap>();
        foreach (var stretch in stretches)
        {
            var rest = stretch;
            while (true)
            {
                var cover = Cover(pieces, rest);
                if (stretch.End is { } end && cover.Reached >= end) break;
                // The end of a timeline that was left is known: nothing more comes there.
                var goesOn = cover.Next ?? stretch.End;
                if (goesOn is not { } next || next <= cover.Reached) break;
                if (stretch.End is { } limit && next > limit) next = limit;
                gaps.Add(new(stretch.Timeline, cover.Reached, next));
                rest = rest with { Start = next };
            }
        }

        return gaps.ToImmutable();
    }

    /// <summary>The newest timeline that comes from a base and of which there is anything; the base's own if there is none.</summary>
    public static TimelineHistory Newest(IReadOnlyCollection<WalPiece> pieces, IEnumerable<TimelineHistory> histories, uint timeline, Lsn start) =>
        histories.Where(history => history.Timeline > timeline && history.From(timeline, start) is not null && pieces.Any(piece => piece.Timeline == history.Timeline))
            .OrderByDescending(history => history.Timeline)
            .FirstOrDefault() ?? TimelineHistory.First(timeline);
}

/// <param name="Pieces">In order.</param>
/// <param name="Reached">The first position that is not covered.</param>
/// <param name="Next">Where there is something again; null: nothing further on.</param>
public sealed record WalCover(ImmutableArray<WalPiece> Pieces, Lsn Reached, Lsn? Next);

/// <summary>A part of the log that nobody has any more.</summary>
public sealed record WalGap(uint Timeline, Lsn From, Lsn To)
{
    public override string ToString() => $"{From} to {To} of timeline {Timeline}";
}
