using Orchestrator.Backups.Schedules;
using Orchestrator.Tests.Journal.Sqlite;

namespace Orchestrator.Tests.Backups.Schedules;

/// <summary>What persists of schedules.</summary>
[TestFixture]
public sealed class ScheduleLedgerTests
{
    private static readonly BackupSchedule Nightly = new("garden", ScheduledWork.Backup, ["0 1 * * *"], "UTC");

    private JournalFixture _fixture = null!;
    private ScheduleLedger _ledger = null!;

    [SetUp]
    public async Task OpenAsync()
    {
        _fixture = await JournalFixture.OpenAsync();
        _ledger = new ScheduleLedger(_fixture.Database, _fixture.Time);
    }

    [TearDown]
    public void Close() => _fixture.Dispose();

    [Test]
    public async Task A_schedule_begins_when_it_is_first_seen_and_anew_when_it_says_something_else()
    {
        var first = await _ledger.SinceAsync(Nightly, CancellationToken.None);
        _fixture.Time.Advance(TimeSpan.FromHours(5));

        Assert.That(await _ledger.SinceAsync(Nightly, CancellationToken.None), Is.EqualTo(first));
        Assert.That(await _ledger.SinceAsync(Nightly with { Crons = ["0 2 * * *"] }, CancellationToken.None), Is.EqualTo(first + TimeSpan.FromHours(5)));
    }

    [Test]
    public async Task A_run_is_carried_out_up_to_its_time_in_the_moment_in_which_it_begins()
    {
        var since = await _ledger.SinceAsync(Nightly, CancellationToken.None);
        await _ledger.BeginAsync(Nightly, new(since.AddDays(2), [since.AddDays(1)]), "away", CancellationToken.None);

        Assert.That(await _ledger.SinceAsync(Nightly, CancellationToken.None), Is.EqualTo(since.AddDays(2)));
        var runs = await _ledger.ListAsync("garden", 10, CancellationToken.None);
        Assert.That(runs.Select(run => (run.DueAt, run.Outcome, run.Detail)), Is.EqualTo(new[]
        {
            (since.AddDays(2), RunOutcome.Running, null),
            (since.AddDays(1), RunOutcome.Skipped, "away"),
        }));
    }

    [Test]
    public async Task A_run_in_whose_middle_the_daemon_ended_is_found_again_and_counted()
    {
        var since = await _ledger.SinceAsync(Nightly, CancellationToken.None);
        await _ledger.BeginAsync(Nightly, new(since.AddDays(1), []), "", CancellationToken.None);

        Assert.That((await _ledger.InterruptedAsync(CancellationToken.None)).Select(run => run.Attempts), Is.EqualTo(new[] { 2 }));
        Assert.That((await _ledger.InterruptedAsync(CancellationToken.None)).Select(run => run.Attempts), Is.EqualTo(new[] { 3 }));

        await _ledger.EndAsync("garden", ScheduledWork.Backup, since.AddDays(1), RunOutcome.Success, "000001", CancellationToken.None);
        Assert.That(await _ledger.InterruptedAsync(CancellationToken.None), Is.Empty);
        Assert.That((await _ledger.FindAsync("garden", ScheduledWork.Backup, since.AddDays(1), CancellationToken.None))!.Detail, Is.EqualTo("000001"));
    }
}
