using CsCheck;
using Orchestrator.Backups.Postgres;

namespace Orchestrator.Tests.Backups.Postgres;

/// <summary>Pure: what is whole is found whole, and every byte that is missing is found missing.</summary>
public sealed class WalChainTests
{
    private const long Segment = 1 << 10;

    /// <summary>A log that was cut anywhere, in any order, with some pieces stored twice as parts of a greater whole.</summary>
    private static readonly Gen<(ulong Start, int[] Lengths, int[] Doubled)> Cut =
        Gen.Select(Gen.ULong[0, 1UL << 40], Gen.Int[1, 3000].Array[1, 40], Gen.Int[0, 39].Array[0, 10]);

    [Test]
    public void A_log_that_is_cut_anyhow_is_whole_and_without_any_one_piece_is_broken_exactly_there() => Cut.Sample(cut =>
    {
        var pieces = Pieces(1, cut.Start, cut.Lengths);
        var end = pieces[^1].End;
        var whole = WalChain.Cover(pieces.Reverse(), new(1, new(cut.Start), null));
        Assert.That((whole.Reached, whole.Next), Is.EqualTo((end, (Lsn?)null)));
        Assert.That(WalChain.Gaps(pieces, [new(1, new(cut.Start), end)]), Is.Empty);

        foreach (var lost in pieces)
        {
            var gaps = WalChain.Gaps([.. pieces.Where(piece => piece != lost)], [new(1, new(cut.Start), end)]);
            Assert.That(gaps, Is.EqualTo(new[] { new WalGap(1, lost.Start, lost.End) }));
        }
    }, iter: 200);

    [Test]
    public void Pieces_that_are_stored_once_more_as_part_of_a_whole_change_nothing_and_the_chosen_ones_leave_no_hole() => Cut.Sample(cut =>
    {
        var pieces = Pieces(1, cut.Start, cut.Lengths);
        var doubled = cut.Doubled.Where(index => index < pieces.Length).Select(index => pieces[index] with { Start = pieces[Math.Max(0, index - 2)].Start, Key = "whole" });
        var cover = WalChain.Cover([.. pieces, .. doubled], new(1, new(cut.Start), null));

        Assert.That(cover.Reached, Is.EqualTo(pieces[^1].End));
        var at = new Lsn(cut.Start);
        foreach (var piece in cover.Pieces)
        {
            Assert.That(piece.Start, Is.LessThanOrEqualTo(at));
            Assert.That(piece.End, Is.GreaterThan(at));
            at = piece.End;
        }
    }, iter: 200);

    [Test]
    public void A_gap_is_found_on_either_side_of_a_switch_of_timelines()
    {
        var history = TimelineHistory.Parse(3, "1\t0/2000\tno recovery target specified\n2\t0/5000\tno recovery target specified\n");
        var stretches = history.From(1, new(0x1000))!.Value;
        WalPiece[] pieces = [Piece(1, 0x1000, 0x1800), Piece(1, 0x1900, 0x2600), Piece(2, 0x2000, 0x4800), Piece(3, 0x5000, 0x7000)];

        Assert.Multiple(() =>
        {
            Assert.That(stretches, Is.EqualTo(new WalStretch[] { new(1, new(0x1000), new(0x2000)), new(2, new(0x2000), new(0x5000)), new(3, new(0x5000), null) }));
            Assert.That(WalChain.Gaps(pieces, stretches), Is.EqualTo(new WalGap[] { new(1, new(0x1800), new(0x1900)), new(2, new(0x4800), new(0x5000)) }));
            Assert.That(history.From(1, new(0x3000)), Is.Null, "what was written after the switch is no part of the new timeline");
            Assert.That(history.From(4, new(0x1000)), Is.Null);
            Assert.That(WalChain.Newest(pieces, [history], 1, new(0x1000)).Timeline, Is.EqualTo(3));
            Assert.That(WalChain.Newest(pieces, [history], 1, new(0x3000)).Timeline, Is.EqualTo(1));
        });
    }

    [Test]
    public void The_name_of_a_piece_says_all_of_it() => Gen.Select(Gen.UInt[1, uint.MaxValue], Gen.ULong[0, 1UL << 60], Gen.ULong[1, 1UL << 30], Gen.Int[0, 1_000_000_000], Gen.Bool).Sample((timeline, start, length, seconds, timed) =>
    {
        DateTimeOffset? through = timed ? DateTimeOffset.UnixEpoch.AddSeconds(seconds).AddMilliseconds(7) : null;
        var name = WalPiece.NameOf("7301", timeline, new(start), new(start + length), through);
        var read = WalPiece.Parse($"garden/{name}.zst.age");

        Assert.That(read, Is.EqualTo(new WalPiece($"garden/{name}.zst.age", timeline, new(start), new(start + length), through)));
    });

    [TestCase(1u, 0x2000028UL, 16L << 20, "000000010000000000000002")]
    [TestCase(2u, 0x1_FF000000UL, 16L << 20, "0000000200000001000000FF")]
    [TestCase(1u, 0x1_80000000UL, 1L << 30, "000000010000000100000002")]
    [TestCase(1u, 0x100000UL, 1L << 20, "000000010000000000000001")]
    public void Segments_are_called_as_PostgreSQL_calls_them(uint timeline, ulong lsn, long size, string name) =>
        Assert.That(WalNames.Segment(timeline, new(lsn), size), Is.EqualTo(name));

    [TestCase("0/1A2B3C4D", 0x1A2B3C4DUL)]
    [TestCase("FF/0", 0xFF_00000000UL)]
    public void A_position_reads_and_writes_as_PostgreSQL_does(string text, ulong value) =>
        Assert.That((Lsn.Parse(text).Value, new Lsn(value).ToString()), Is.EqualTo((value, text)));

    [TestCase("")]
    [TestCase("12")]
    [TestCase("0/")]
    [TestCase("0/123456789")]
    [TestCase("before_migration")]
    public void What_is_no_position_is_refused(string text) => Assert.That(Lsn.TryParse(text, out _), Is.False);

    [Test]
    public void A_goal_beyond_the_log_says_how_far_it_goes()
    {
        var facts = Facts();
        var until = new DateTimeOffset(2026, 11, 25, 12, 0, 0, TimeSpan.Zero);
        WalPiece[] pieces = [Piece(1, 0, 0x800) with { Through = until }];

        var late = Assert.Throws<Orchestrator.Backups.BackupFailedException>(() => Choose(new RecoveryGoal.Moment(until.AddHours(1))));
        var far = Assert.Throws<Orchestrator.Backups.BackupFailedException>(() => Choose(new RecoveryGoal.Position(new(0x900))));
        var near = Choose(new RecoveryGoal.Moment(until.AddMinutes(-1)));

        Assert.Multiple(() =>
        {
            Assert.That(late!.Message, Does.Contain("2026-11-25 13:00:00").And.Contain("2026-11-25 12:00:00").And.Contain("0/800"));
            Assert.That(far!.Message, Does.Contain("0/900"));
            Assert.That(near.Pieces, Has.Length.EqualTo(1));
        });

        WalSelection Choose(RecoveryGoal goal) => WalSelection.Choose("db", facts, facts.PointLsn, goal, pieces, []);
    }

    [Test]
    public void A_broken_log_leads_up_to_the_break_and_not_beyond()
    {
        var facts = Facts();
        var noon = new DateTimeOffset(2026, 11, 25, 12, 0, 0, TimeSpan.Zero);
        WalPiece[] pieces = [Piece(1, 0, 0x800) with { Through = noon }, Piece(1, 0x900, 0x1400) with { Through = noon.AddHours(2) }];

        var before = WalSelection.Choose("db", facts, facts.PointLsn, new RecoveryGoal.Moment(noon.AddMinutes(-10)), pieces, []);
        var beyond = Assert.Throws<Orchestrator.Backups.BackupFailedException>(() => WalSelection.Choose("db", facts, facts.PointLsn, new RecoveryGoal.Moment(noon.AddHours(1)), pieces, []));

        Assert.That(before.Pieces, Has.Length.EqualTo(1));
        Assert.That(beyond!.Message, Does.Contain("broken after 0/800").And.Contain("goes on at 0/900"));
    }

    private static PostgresFacts Facts() => new()
    {
        SystemIdentifier = "1",
        Timeline = 1,
        Start = new(0x100),
        PointLsn = new(0x200),
        Consistent = new(0x180),
        PointName = "p",
        PointAt = null,
        SegmentSize = Segment,
        Version = "15",
        Image = "i",
        DataDirectory = "/d",
    };

    private static WalPiece Piece(uint timeline, ulong start, ulong end) => new($"{timeline}-{start}", timeline, new(start), new(end), null);

    private static WalPiece[] Pieces(uint timeline, ulong start, int[] lengths)
    {
        var pieces = new WalPiece[lengths.Length];
        for (var index = 0; index < lengths.Length; start += (ulong)lengths[index++]) pieces[index] = Piece(timeline, start, start + (ulong)lengths[index]);
        return pieces;
    }
}
