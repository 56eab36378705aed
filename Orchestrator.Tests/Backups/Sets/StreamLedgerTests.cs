using Orchestrator.Backups;
using Orchestrator.Backups.Sets;
using Orchestrator.Tests.Journal.Sqlite;

namespace Orchestrator.Tests.Backups.Sets;

/// <summary>A hole in a stream is remembered until a set has answered it.</summary>
public sealed class StreamLedgerTests
{
    [Test]
    public async Task A_need_is_written_once_kept_over_a_restart_and_met_by_a_set_that_began_after_it()
    {
        using var fixture = await JournalFixture.OpenAsync();
        var before = Set(1, fixture.Time.GetUtcNow().AddMinutes(-1));
        var ledger = new StreamLedger(fixture.Database, fixture.Time);

        Assert.That(await ledger.NeedAsync("garden", "postgres", "the log from 0/1 to 0/2 is lost", hole: true, CancellationToken.None), Is.True);
        fixture.Time.Advance(TimeSpan.FromSeconds(5));
        Assert.That(await ledger.NeedAsync("garden", "postgres", "the log from 0/1 to 0/2 is lost", hole: true, CancellationToken.None), Is.False, "it is known");
        Assert.That(await ledger.NeedAsync("shop", "postgres", "the continuous log of this cluster begins now", hole: false, CancellationToken.None), Is.True);

        var again = new StreamLedger(fixture.Database, fixture.Time);
        await again.MeetAsync(before, CancellationToken.None);
        Assert.That((await again.OpenAsync(CancellationToken.None)).Select(need => (need.Stack, need.Hole)), Is.EqualTo(new[] { ("garden", true), ("shop", false) }), "a set from before answers nothing");

        await again.MeetAsync(Set(2, fixture.Time.GetUtcNow()), CancellationToken.None);
        Assert.That((await again.OpenAsync(CancellationToken.None)).Select(need => need.Stack), Is.EqualTo(new[] { "shop" }));
        Assert.That((await again.ListAsync("garden", CancellationToken.None)).Single().MetBy, Is.EqualTo(Set(2, fixture.Time.GetUtcNow()).Id.Value), "the hole stays on record");
    }

    private static BackupSetRecord Set(long number, DateTimeOffset at) => new()
    {
        Stack = "garden",
        Sequence = number,
        Id = BackupSetId.Of(number, DateTimeOffset.UnixEpoch),
        State = BackupSetState.Succeeded,
        Reason = "gap",
        StartedAt = at,
    };
}
