using Orchestrator.Access;
using Orchestrator.Journal;
using Orchestrator.Tests.Journal.Sqlite;

namespace Orchestrator.Tests.Access;

[TestFixture]
public sealed class AuditLogTests
{
    private JournalFixture _fixture = null!;
    private AuditLog _audit = null!;

    [SetUp]
    public async Task OpenAsync()
    {
        _fixture = await JournalFixture.OpenAsync();
        _audit = new AuditLog(_fixture.Database, _fixture.Time);
        for (var i = 1; i <= 5; i++) await _audit.AppendAsync("ci", $"deployment.start {i}", i % 2 == 0 ? "garden" : null, "accepted", CancellationToken.None);
    }

    [TearDown]
    public void Close() => _fixture.Dispose();

    [Test]
    public async Task Entries_are_listed_newest_first_and_by_stack()
    {
        Assert.That((await _audit.ListAsync(null, 2, CancellationToken.None)).Select(entry => entry.Number), Is.EqualTo(new[] { 5, 4 }));
        Assert.That(await _audit.ListAsync("garden", 9, CancellationToken.None), Is.EqualTo(new[]
        {
            new AuditEntry(4, _fixture.Time.GetUtcNow(), "ci", "deployment.start 4", "garden", "accepted"),
            new AuditEntry(2, _fixture.Time.GetUtcNow(), "ci", "deployment.start 2", "garden", "accepted"),
        }));
        Assert.That(await _audit.VerifyAsync(CancellationToken.None), Is.Null);
    }

    [TestCase("UPDATE audit SET who = 'somebody' WHERE number = 3")]
    [TestCase("DELETE FROM audit WHERE number = 3")]
    public async Task A_row_cannot_be_changed_and_if_it_is_it_shows(string sql)
    {
        Assert.That(async () => await ExecuteAsync(sql), Throws.TypeOf<JournalException>().With.Message.Contains("append-only"));

        await ExecuteAsync("DROP TRIGGER audit_is_not_changed");
        await ExecuteAsync("DROP TRIGGER audit_is_not_shortened");
        await ExecuteAsync(sql);

        Assert.That(await _audit.VerifyAsync(CancellationToken.None), Is.EqualTo(3));
    }

    [Test]
    public async Task Entries_of_many_at_once_form_one_chain()
    {
        await Task.WhenAll(Enumerable.Range(0, 50).Select(i => _audit.AppendAsync("t", $"{i}", null, "ok", CancellationToken.None)));

        Assert.That(await _audit.VerifyAsync(CancellationToken.None), Is.Null);
        Assert.That((await _audit.ListAsync(null, 1, CancellationToken.None)).Single().Number, Is.EqualTo(55));
    }

    private Task ExecuteAsync(string sql) => _fixture.Database.WriteAsync(session => { session.Execute(sql); }, CancellationToken.None);
}
