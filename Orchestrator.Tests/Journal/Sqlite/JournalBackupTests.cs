using System.Runtime.Versioning;
using Orchestrator.Deployments;
using Orchestrator.Journal;
using Orchestrator.Journal.Sqlite;

namespace Orchestrator.Tests.Journal.Sqlite;

[TestFixture, SupportedOSPlatform("linux")]
public sealed class JournalBackupTests
{
    private JournalFixture _fixture = null!;
    private JournalBackups _backups = null!;

    private SqliteJournal Journal => _fixture.Journal;

    [SetUp]
    public async Task OpenAsync()
    {
        _fixture = await JournalFixture.OpenAsync();
        _backups = new(_fixture.Directory[JournalOpening.BackupsName], _fixture.Time);
    }

    [TearDown]
    public void Close() => _fixture.Dispose();

    [Test]
    public async Task A_copy_is_made_while_the_journal_is_in_use_and_holds_what_was_committed()
    {
        await Journal.SaveStackAsync(JournalFixture.State("garden", 7), CancellationToken.None);

        var path = await _backups.MakeAsync(_fixture.Database, CancellationToken.None);

        Assert.That(SqliteFile.Examine(path), Is.Null);
        Assert.That(SqliteDatabase.Peek(path, session => StateTable.Find(session, "garden")?.CurrentRelease), Is.EqualTo(7));
        Assert.That(File.GetUnixFileMode(path), Is.EqualTo(UnixFileMode.UserRead | UnixFileMode.UserWrite), "it holds what the journal holds");
        Assert.That(Directory.GetFiles(_backups.Directory), Is.EqualTo(new[] { path }), "one file, nothing beside it");
        Assert.That(_fixture.Database.Health.LastBackup, Is.EqualTo(_fixture.Time.GetUtcNow()));
        await Journal.SaveStackAsync(JournalFixture.State("garden", 8), CancellationToken.None);
    }

    [Test]
    public async Task The_newest_few_are_kept_and_one_that_is_damaged_is_passed_over()
    {
        for (var copy = 0; copy < JournalBackups.Kept + 3; copy++)
        {
            await Journal.SaveStackAsync(JournalFixture.State("garden", copy), CancellationToken.None);
            await _backups.MakeAsync(_fixture.Database, CancellationToken.None);
            _fixture.Time.Advance(TimeSpan.FromMinutes(1));
        }

        Assert.That(_backups.Files, Has.Length.EqualTo(JournalBackups.Kept));
        await File.WriteAllBytesAsync(_backups.Files[0], new byte[8192]);
        Assert.That(_backups.NewestGood(), Is.EqualTo(_backups.Files[1]));
    }

    [Test]
    public async Task A_clock_that_was_set_back_does_not_make_the_newest_copy_an_old_one()
    {
        await _backups.MakeAsync(_fixture.Database, CancellationToken.None);
        await Journal.SaveStackAsync(JournalFixture.State("garden", 2), CancellationToken.None);

        var path = await new JournalBackups(_backups.Directory, new Microsoft.Extensions.Time.Testing.FakeTimeProvider(DateTimeOffset.UnixEpoch)).MakeAsync(_fixture.Database, CancellationToken.None);

        Assert.That(_backups.Files[0], Is.EqualTo(path));
        Assert.That(SqliteDatabase.Peek(path, session => StateTable.Find(session, "garden")?.CurrentRelease), Is.EqualTo(2));
    }

    [Test]
    public async Task A_copy_is_made_before_the_schema_is_changed()
    {
        await _fixture.Database.WriteAsync(session =>
        {
            // As the program before the newest migration had left it.
            foreach (var table in session.Query<string>("SELECT name FROM sqlite_schema WHERE type = 'table' AND name <> 'schema_migrations' AND name NOT LIKE 'sqlite_%'"))
                session.Execute($"DROP TABLE \"{table}\"");
            foreach (var migration in SchemaMigrations.All.SkipLast(1)) session.Execute(migration.Sql);
            session.Execute("DELETE FROM schema_migrations WHERE number = @Number", new { SchemaMigrations.All[^1].Number });
        }, CancellationToken.None);
        var left = await _fixture.Database.ReadAsync(session => session.Scalar<long>("SELECT COUNT(*) FROM schema_migrations"), CancellationToken.None);
        _fixture.Database.Dispose();

        using var opened = await SqliteDatabase.OpenAsync(_fixture.Database.Path, _fixture.Time, _backups, CancellationToken.None);

        Assert.That(SqliteDatabase.Peek(_backups.Files.Single(), session => session.Scalar<long>("SELECT COUNT(*) FROM schema_migrations")), Is.EqualTo(left));
    }

    [TestCase("zeros")]
    [TestCase("text")]
    [TestCase("empty")]
    [TestCase("gone")]
    [TestCase("older")]
    public async Task A_journal_that_cannot_be_believed_is_left_as_it_is_and_its_newest_copy_stands_in(string how)
    {
        await Journal.AdmitAsync(JournalFixture.Deploy("garden"), null, CancellationToken.None);
        await Journal.SaveStackAsync(JournalFixture.State("garden", 3), CancellationToken.None);
        await _backups.MakeAsync(_fixture.Database, CancellationToken.None);
        _fixture.Database.Dispose();
        var path = _fixture.Database.Path;
        var before = await Spoil(how, path);

        using var opened = await JournalOpening.OpenAsync(Path.GetDirectoryName(path)!, _fixture.Time, CancellationToken.None);

        Assert.That(opened.Health.Damage?.File, Is.EqualTo(path));
        Assert.That(opened.Health.Damage?.ServedFrom, Does.Contain("the copy of 2026-03-01"));
        Assert.That((await new SqliteJournal(opened, _fixture.Time).FindStackAsync("garden", CancellationToken.None))?.CurrentRelease, Is.EqualTo(3));
        Assert.That(File.Exists(path) ? await File.ReadAllBytesAsync(path) : null, Is.EqualTo(before), "the evidence is not touched");
        var refused = await Assert.ThrowsAsync<JournalException>(() => new SqliteJournal(opened, _fixture.Time).AdmitAsync(JournalFixture.Deploy("garden"), null, CancellationToken.None));
        Assert.That((refused!.Fault, refused.Message), Is.EqualTo((JournalFault.Damaged, refused.Message)));
        Assert.That(refused.Message, Does.Contain("basmalin doctor --repair"));
    }

    [Test]
    public async Task What_came_after_the_copy_is_taken_from_the_pages_of_the_damaged_file_that_can_be_read([Values("header", "page")] string what)
    {
        for (var i = 0; i < 40; i++) await Journal.AdmitAsync(JournalFixture.Apply("garden"), null, CancellationToken.None);
        await _backups.MakeAsync(_fixture.Database, CancellationToken.None);
        var late = await Journal.AddReleaseAsync(JournalFixture.Release("garden"), CancellationToken.None);
        await Journal.AdmitAsync(JournalFixture.Deploy("late"), null, CancellationToken.None);
        _fixture.Database.Dispose();
        using (var file = new FileStream(_fixture.Database.Path, FileMode.Open))
        {
            // A page of the middle: some deployment among the forty.
            file.Position = what == "header" ? 0 : file.Length / 2 / 4096 * 4096;
            await file.WriteAsync(new byte[what == "header" ? 100 : 4096]);
        }

        using var standIn = await JournalOpening.OpenAsync(Path.GetDirectoryName(_fixture.Database.Path)!, _fixture.Time, CancellationToken.None);
        var (found, lost) = await standIn.WriteAsync(session => new JournalSalvage(_fixture.Database.Path, _backups.NewestGood()).MergeInto(session), CancellationToken.None);
        TestContext.Out.WriteLine($"{string.Join("; ", found)}\nlost: {string.Join("; ", lost)}");

        var journal = new SqliteJournal(standIn, _fixture.Time);
        Assert.That((await journal.FindReleaseAsync("garden", late.Number, CancellationToken.None))?.Stack.Name, Is.EqualTo("garden"));
        Assert.That((await journal.ListDeploymentsAsync("late", 1, CancellationToken.None)).Single().State, Is.EqualTo(DeploymentState.Failed), "it was under way, and is not begun of its own accord");
        Assert.That((await journal.ListDeploymentsAsync("garden", 100, CancellationToken.None)), Has.Length.EqualTo(40));
        Assert.That(await journal.DamagedStacksAsync(CancellationToken.None), Is.Empty);
    }

    /// <returns>What is there then.</returns>
    private static async Task<byte[]?> Spoil(string how, string path)
    {
        switch (how)
        {
            case "zeros": await File.WriteAllBytesAsync(path, new byte[16384]); break;
            case "text": await File.WriteAllTextAsync(path, new string('a', 8192)); break;
            case "empty": await File.WriteAllBytesAsync(path, []); break;
            case "gone": File.Delete(path); return null;
            default:
                // A journal of the same house that knows nothing.
                File.Delete(path);
                (await SqliteDatabase.OpenAsync(path, TimeProvider.System, CancellationToken.None)).Dispose();
                break;
        }

        return await File.ReadAllBytesAsync(path);
    }
}
