using System.Collections.Immutable;
using System.Globalization;

namespace Orchestrator.Backups.Postgres;

/// <summary>The pieces of the continuous log that a restore needs beyond its set, and the timeline on which it ends.</summary>
internal sealed record WalSelection(uint Timeline, ImmutableArray<WalPiece> Pieces)
{
    /// <summary>Recovery to a time ends at the first commit after it, which must be there: with a beat each minute, one comes within this.</summary>
    private static readonly TimeSpan Beyond = TimeSpan.FromMinutes(3);

    /// <summary>What is known of the end of the log is a little less than there is: PostgreSQL itself has the last word on a moment so close to it.</summary>
    private static readonly TimeSpan Doubt = TimeSpan.FromSeconds(5);

    /// <summary>Pure.</summary>
    /// <param name="from">Up to where the set's own log reaches.</param>
    /// <exception cref="BackupFailedException">The goal lies beyond what there is; the message says what range there is.</exception>
    public static WalSelection Choose(
        string service, PostgresFacts facts, Lsn from, RecoveryGoal goal, IReadOnlyCollection<WalPiece> pieces, IReadOnlyCollection<TimelineHistory> histories)
    {
        var history = WalChain.Newest(pieces, histories, facts.Timeline, facts.Start);
        var stretches = history.From(facts.Timeline, from.SegmentStart(facts.SegmentSize)) ?? [new(facts.Timeline, from.SegmentStart(facts.SegmentSize), null)];
        var chosen = ImmutableArray.CreateBuilder<WalPiece>();
        foreach (var stretch in stretches)
        {
            // A new timeline's first segment holds a copy of the old one's beginning.
            var cover = WalChain.Cover(pieces, stretch with { Start = stretch.Start.SegmentStart(facts.SegmentSize) });
            var last = Until(goal, cover.Pieces, stretch);
            chosen.AddRange(cover.Pieces.Take(last));
            if (last < cover.Pieces.Length || Reached(goal, cover.Pieces, stretch)) return new(stretch.Timeline, chosen.ToImmutable());
            if (stretch.End is { } end && cover.Reached < end || cover.Next is not null) throw Broken(service, facts, pieces, cover, goal);
        }

        if (goal is RecoveryGoal.End or RecoveryGoal.Named) return new(history.Timeline, chosen.ToImmutable());
        throw TooLate(service, goal, facts, chosen);
    }

    /// <returns>How many of the pieces are needed at most.</returns>
    private static int Until(RecoveryGoal goal, ImmutableArray<WalPiece> pieces, WalStretch stretch)
    {
        var index = goal switch
        {
            // The record after the position must be whole.
            RecoveryGoal.Position { Lsn: var lsn } when stretch.End is not { } end || lsn <= end => IndexOf(pieces, piece => piece.Start > lsn),
            RecoveryGoal.Moment { Time: var time } => IndexOf(pieces, piece => piece.Through is { } at && at >= time + Beyond),
            _ => -1,
        };
        return index < 0 ? pieces.Length : index + 1;
    }

    private static bool Reached(RecoveryGoal goal, ImmutableArray<WalPiece> pieces, WalStretch stretch) => goal switch
    {
        RecoveryGoal.Position { Lsn: var lsn } => (stretch.End is not { } end || lsn < end) && pieces.Any(piece => piece.End > lsn),
        RecoveryGoal.Moment { Time: var time } => stretch.End is null && pieces.Any(piece => piece.Through is { } at && at >= time - Doubt),
        _ => false,
    };

    private static int IndexOf(ImmutableArray<WalPiece> pieces, Func<WalPiece, bool> when)
    {
        for (var index = 0; index < pieces.Length; index++)
        {
            if (when(pieces[index])) return index;
        }

        return -1;
    }

    private static BackupFailedException Broken(string service, PostgresFacts facts, IEnumerable<WalPiece> pieces, WalCover cover, RecoveryGoal goal)
    {
        var last = cover.Pieces.LastOrDefault(piece => piece.Through is not null)?.Through;
        var again = pieces.Where(piece => piece.Start >= cover.Reached).Select(piece => (Lsn?)piece.Start).Min();
        return new(
            $"{service}: the log is broken after {cover.Reached}{(again is { } at ? $", and goes on at {at}" : "")}: {Say(goal)} cannot be reached from the base at {facts.Start}",
            last is { } until ? $"From this set one can go to any time until {Format(until)}; for later ones take a set made after the break." : "Take a set made after the break.");
    }

    private static BackupFailedException TooLate(string service, RecoveryGoal goal, PostgresFacts facts, IEnumerable<WalPiece> chosen)
    {
        var pieces = chosen.ToList();
        var reached = pieces.Count == 0 ? facts.PointLsn : pieces.Max(piece => piece.End);
        var until = pieces.Where(piece => piece.Through is not null).Select(piece => piece.Through).Max();
        return new(
            $"{service}: {Say(goal)} lies beyond what there is: the log reaches to {reached}{(until is { } time ? $", {Format(time)}" : "")}",
            "Take an earlier moment, or 'latest' for all that there is.");
    }

    private static string Say(RecoveryGoal goal) => goal switch
    {
        RecoveryGoal.Moment moment => Format(moment.Time),
        RecoveryGoal.Position position => position.Lsn.ToString(),
        RecoveryGoal.Named named => $"restore point {named.Name}",
        _ => "the end",
    };

    private static string Format(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);
}
