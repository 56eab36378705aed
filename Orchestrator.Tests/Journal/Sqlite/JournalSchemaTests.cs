using Microsoft.Data.Sqlite;
using Orchestrator.Journal;
using Orchestrator.Journal.Sqlite;

namespace Orchestrator.Tests.Journal.Sqlite;

/// <summary>Programs replace each other, forwards and backwards, and the journal goes with them.</summary>
public sealed class JournalSchemaTests
{
    private static readonly int Before = SchemaMigrations.All[^2].Number;

    private TemporaryDirectory _directory = null!;

    private string Journal => _directory["journal.db"];

    [SetUp]
    public void SetUp() => _directory = new();

    [TearDown]
    public void TearDown() => _directory.Dispose();

    [Test]
    public async Task An_upgrade_keeps_the_journal_as_it_was_and_a_downgrade_brings_that_back_and_keeps_what_was_written_since()
    {
        LeaveAsOldProgram("older");
        Assert.That(JournalSchema.Read(Journal), Is.EqualTo(Before));

        using (var upgraded = await OpenAsync())
        {
            Assert.That((JournalSchema.Known, await SchemaAsync(upgraded)), Is.EqualTo((SchemaMigrations.All[^1].Number, SchemaMigrations.All[^1].Number)));
            await new SqliteJournal(upgraded, TimeProvider.System).AdmitAsync(JournalFixture.Deploy("newer"), null, CancellationToken.None);
            Assert.That(File.GetUnixFileMode(JournalSchema.CopyOf(Journal, Before)), Is.EqualTo(UnixFileMode.UserRead | UnixFileMode.UserWrite));
        }

        Assert.That(JournalSchema.TryRestore(Journal, Before), Is.True);
        Assert.Multiple(() =>
        {
            Assert.That(JournalSchema.Read(Journal), Is.EqualTo(Before), "the program before can read it");
            Assert.That(StacksOf(Journal), Is.EqualTo(new[] { "older" }));
            Assert.That(JournalSchema.Read($"{Journal}.undone"), Is.EqualTo(JournalSchema.Known));
            Assert.That(StacksOf($"{Journal}.undone"), Is.EqualTo(new[] { "older", "newer" }), "what was written since is kept");
            Assert.That(File.Exists(JournalSchema.CopyOf(Journal, Before)), Is.False, "it is the journal now");
        });

        using var again = await OpenAsync();
        Assert.That(await SchemaAsync(again), Is.EqualTo(JournalSchema.Known), "and forwards once more");
    }

    [Test]
    public async Task What_the_newer_program_had_not_written_into_the_file_itself_is_kept_too()
    {
        LeaveAsOldProgram("older");
        using (await OpenAsync())
        {
            // Killed: its log of the last transactions lies beside the file.
            using var late = Connect(Journal);
            late.Write("late");
            foreach (var tail in (string[])["", "-wal"]) File.Copy(Journal + tail, _directory[$"killed{tail}"]);
        }

        foreach (var tail in (string[])["", "-wal"]) File.Move(_directory[$"killed{tail}"], Journal + tail, overwrite: true);
        Assert.That(new FileInfo($"{Journal}-wal").Length, Is.Positive, "the test is worth something");

        Assert.That(JournalSchema.TryRestore(Journal, Before), Is.True);
        Assert.That(File.Exists($"{Journal}-wal"), Is.False, "the log of one file is not left beside another");
        Assert.That(StacksOf($"{Journal}.undone"), Is.EqualTo(new[] { "older", "late" }));
        Assert.That(StacksOf(Journal), Is.EqualTo(new[] { "older" }));
    }

    [Test]
    public async Task A_downgrade_that_died_in_the_middle_is_said_again_and_loses_nothing()
    {
        LeaveAsOldProgram("older");
        using (var upgraded = await OpenAsync()) await new SqliteJournal(upgraded, TimeProvider.System).AdmitAsync(JournalFixture.Deploy("newer"), null, CancellationToken.None);
        File.Move(Journal, $"{Journal}.undone");

        Assert.That(JournalSchema.TryRestore(Journal, Before), Is.True);
        Assert.That((JournalSchema.Read(Journal), JournalSchema.Read($"{Journal}.undone")), Is.EqualTo(((int?)Before, (int?)JournalSchema.Known)));
    }

    [Test]
    public async Task Without_a_copy_nothing_is_touched()
    {
        using (var only = await OpenAsync()) await new SqliteJournal(only, TimeProvider.System).AdmitAsync(JournalFixture.Deploy("garden"), null, CancellationToken.None);
        var before = await File.ReadAllBytesAsync(Journal);

        Assert.That(JournalSchema.TryRestore(Journal, Before), Is.False);
        Assert.That(await File.ReadAllBytesAsync(Journal), Is.EqualTo(before));
        Assert.That(File.Exists($"{Journal}.undone"), Is.False);
    }

    [Test]
    public async Task Where_there_is_no_journal_there_is_no_schema_and_what_is_none_is_not_taken_for_one()
    {
        Assert.That(JournalSchema.Read(Journal), Is.Null);
        await File.WriteAllTextAsync(Journal, "this is no database, whatever its name says");
        Assert.That(() => JournalSchema.Read(Journal), Throws.InstanceOf<JournalException>().With.Message.Contains("cannot be read"));
    }

    private Task<SqliteDatabase> OpenAsync() => SqliteDatabase.OpenAsync(Journal, TimeProvider.System, CancellationToken.None);

    private static Task<int> SchemaAsync(SqliteDatabase database) => database.ReadAsync(session => (int)session.Scalar<long>("SELECT MAX(number) FROM schema_migrations"), CancellationToken.None);

    /// <summary>As the program before the newest migration leaves it.</summary>
    private void LeaveAsOldProgram(string stack)
    {
        using var old = Connect(Journal);
        old.Execute($"PRAGMA application_id = {SchemaMigrations.ApplicationId}");
        old.Execute("CREATE TABLE schema_migrations (number INTEGER PRIMARY KEY, name TEXT NOT NULL, hash TEXT NOT NULL, applied_at TEXT NOT NULL) STRICT");
        foreach (var migration in SchemaMigrations.All.SkipLast(1))
        {
            old.Execute(migration.Sql);
            old.Execute("INSERT INTO schema_migrations VALUES (@Number, @Name, @Hash, '2026-03-01T12:00:00.0000000Z')", new { migration.Number, migration.Name, migration.Hash });
        }

        old.Write(stack);
    }

    private static string[] StacksOf(string path)
    {
        using var reader = Connect(path);
        return [.. reader.Query<string>("SELECT stack FROM deployments ORDER BY id")];
    }

    private static Connection Connect(string path) => new(path);

    private sealed class Connection : IDisposable
    {
        private readonly SqliteConnection _connection;
        private readonly SqliteSession _session;

        public Connection(string path)
        {
            _connection = new(new SqliteConnectionStringBuilder { DataSource = path, Pooling = false }.ToString());
            _connection.Open();
            _session = new(_connection);
        }

        public void Execute(string sql, object? parameters = null) => _session.Execute(sql, parameters);

        /// <summary>A deployment of that stack.</summary>
        public void Write(string stack) =>
            Execute("INSERT INTO deployments (stack, state, request, created_at) VALUES (@Stack, 'succeeded', '{}', '2026-03-01T12:00:00.0000000Z')", new { Stack = stack });

        public IEnumerable<T> Query<T>(string sql) => _session.Query<T>(sql);

        public void Dispose() => _connection.Dispose();
    }
}
