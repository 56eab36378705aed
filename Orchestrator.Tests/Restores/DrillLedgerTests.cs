using System.Collections.Immutable;
using Orchestrator.Journal;
using Orchestrator.Restores;
using Orchestrator.Tests.Journal.Sqlite;

namespace Orchestrator.Tests.Restores;

[TestFixture]
public sealed class DrillLedgerTests
{
    private JournalFixture _fixture = null!;
    private DrillLedger _ledger = null!;

    [SetUp]
    public async Task OpenAsync()
    {
        _fixture = await JournalFixture.OpenAsync();
        _ledger = new DrillLedger(_fixture.Database);
        for (var number = 1; number <= 4; number++) await _ledger.AppendAsync(Record(number % 2 == 0 ? "garden" : "shop"), CancellationToken.None);
    }

    [TearDown]
    public void Close() => _fixture.Dispose();

    [Test]
    public async Task Records_are_numbered_over_all_stacks_and_read_back_as_they_were()
    {
        var garden = await _ledger.ListAsync("garden", 10, CancellationToken.None);

        Assert.That(garden.Select(drill => drill.Number), Is.EqualTo(new[] { 4, 2 }));
        Assert.That(garden[0].Checks, Is.EqualTo(Record("garden").Checks));
        Assert.That(garden[0].RecoverySeconds, Is.EqualTo(12.5));
        Assert.That(await _ledger.VerifyAsync(CancellationToken.None), Is.Null);
    }

    [Test]
    public void A_record_cannot_be_changed_or_taken_away([Values("UPDATE drills SET passed = 1 WHERE number = 2", "DELETE FROM drills WHERE number = 2")] string sql) =>
        Assert.That(async () => await _fixture.Database.WriteAsync(session => session.Execute(sql), CancellationToken.None), Throws.TypeOf<JournalException>().With.Message.Contains("append-only"));

    [Test]
    public async Task One_that_was_changed_all_the_same_shows([Values("UPDATE drills SET content = replace(content, 'true', 'false') WHERE number = 2", "DELETE FROM drills WHERE number = 2")] string sql)
    {
        await _fixture.Database.WriteAsync(
            session =>
            {
                session.Execute("DROP TRIGGER drills_are_not_changed");
                session.Execute("DROP TRIGGER drills_are_not_taken_away");
                session.Execute(sql);
            },
            CancellationToken.None);

        Assert.That(await _ledger.VerifyAsync(CancellationToken.None), Is.EqualTo(2));
    }

    private DrillRecord Record(string stack) => new()
    {
        Number = 0,
        Stack = stack,
        Set = "000001-20261126T000000Z",
        StartedAt = _fixture.Time.GetUtcNow(),
        EndedAt = _fixture.Time.GetUtcNow(),
        Passed = true,
        Checks = [new("postgres", "content equals the backup's", true, "3 tables, 12 rows")],
        Phases = ImmutableSortedDictionary<string, double>.Empty.Add("total", 12.5),
    };
}
