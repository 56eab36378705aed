using System.Runtime.Versioning;
using Microsoft.Data.Sqlite;
using Orchestrator.Deployments;
using Orchestrator.Journal;
using Orchestrator.Journal.Sqlite;

namespace Orchestrator.Tests.Journal.Sqlite;

[TestFixture, SupportedOSPlatform("linux")]
public sealed class DamageTests
{
    private JournalFixture _fixture = null!;

    private SqliteJournal Journal => _fixture.Journal;

    [SetUp]
    public async Task OpenAsync() => _fixture = await JournalFixture.OpenAsync();

    [TearDown]
    public void Close() => _fixture.Dispose();

    [Test]
    public async Task A_damaged_record_is_reported_and_the_others_are_served()
    {
        await Journal.SaveStackAsync(JournalFixture.State("garden", 1), CancellationToken.None);
        await Journal.SaveStackAsync(JournalFixture.State("garden", 2), CancellationToken.None);
        await Journal.SaveStackAsync(JournalFixture.State("shop", 1), CancellationToken.None);
        await TouchAsync("UPDATE stack_states SET content = replace(content, 'green', 'blue') WHERE stack = 'garden' AND generation = 2");

        Assert.That((await Journal.ListStacksAsync(CancellationToken.None)).Select(state => state.Stack), Is.EqualTo(new[] { "shop" }));
        Assert.That(await Journal.DamagedStacksAsync(CancellationToken.None), Is.EqualTo(new[]
        {
            ("garden", "generation 2 of 2026-03-01T12:00:00.0000000Z does not fit its checksum; generation 1 of 2026-03-01T12:00:00.0000000Z is intact"),
        }));
        Assert.That(async () => await Journal.FindStackAsync("garden", CancellationToken.None),
            Throws.TypeOf<JournalException>().With.Message.StartWith("The record of stack garden is damaged"), "null would say that nothing serves it");
    }

    [Test]
    public async Task Only_the_current_generation_and_the_one_before_are_kept()
    {
        for (var release = 1; release <= 5; release++) await Journal.SaveStackAsync(JournalFixture.State("garden", release), CancellationToken.None);

        var kept = await _fixture.Database.ReadAsync(session => session.Query<long>("SELECT generation FROM stack_states ORDER BY generation"), CancellationToken.None);
        Assert.That(kept, Is.EqualTo(new[] { 4, 5 }));
    }

    [Test]
    public async Task A_record_of_a_newer_version_is_not_read_by_halves()
    {
        var content = JournalJson.Write(JournalFixture.State("garden", 1)).Replace("\"maintenance\"", "\"fromTheFuture\":1,\"maintenance\"", StringComparison.Ordinal);
        await _fixture.Database.WriteAsync(
            session => session.Execute(
                "INSERT INTO stack_states VALUES ('garden', 1, @Content, @Sum, 'then')", new { Content = content, Sum = Checksum.Of("stack_states", "garden", 1, content) }),
            CancellationToken.None);

        var damaged = await Journal.DamagedStacksAsync(CancellationToken.None);

        Assert.That(damaged.Single().Problem, Does.Contain("is not understood").And.Contain("fromTheFuture"));
    }

    [Test]
    public async Task A_damaged_release_is_reported_and_cannot_be_replayed()
    {
        await Journal.AddReleaseAsync(JournalFixture.Release("garden"), CancellationToken.None);
        await Journal.AddReleaseAsync(JournalFixture.Release("garden"), CancellationToken.None);
        await TouchAsync("UPDATE releases SET manifest = replace(manifest, '3000', '3001') WHERE number = 1");

        Assert.That((await Journal.ListReleasesAsync("garden", CancellationToken.None)).Select(release => release.Number), Is.EqualTo(new[] { 2 }));
        Assert.That(await Journal.DamagedStacksAsync(CancellationToken.None), Is.EqualTo(new[] { ("garden", "release 1 does not fit its checksum") }));
        Assert.That(async () => await Journal.FindReleaseAsync("garden", 1, CancellationToken.None), Throws.TypeOf<JournalException>());
    }

    [Test]
    public async Task A_damaged_deployment_stops_its_own_stack_and_hides_no_other()
    {
        var garden = (await Journal.AdmitAsync(JournalFixture.Deploy("garden"), null, CancellationToken.None)).Deployment;
        var shop = (await Journal.AdmitAsync(JournalFixture.Deploy("shop"), null, CancellationToken.None)).Deployment;
        await TouchAsync("UPDATE deployments SET request = 'x' || request WHERE stack = 'garden'");

        Assert.That((await Journal.UnfinishedAsync(CancellationToken.None)).Select(one => one.Id), Is.EqualTo(new[] { shop.Id }));
        Assert.That((await Journal.ListDeploymentsAsync(null, 10, CancellationToken.None)).Select(one => one.Id), Is.EqualTo(new[] { shop.Id }));
        Assert.That(await Journal.DamagedStacksAsync(CancellationToken.None), Has.Length.EqualTo(1).And.One.Matches<(string Stack, string Problem)>(one =>
            one.Stack == "garden" && one.Problem.StartsWith($"deployment {garden.Id} (queued) is not understood", StringComparison.Ordinal)));
        Assert.That(async () => await Journal.FindDeploymentAsync(garden.Id, CancellationToken.None), Throws.TypeOf<JournalException>().With.Property("Fault").EqualTo(JournalFault.Damaged));
        Assert.That(async () => await Journal.AdmitAsync(JournalFixture.Deploy("garden"), null, CancellationToken.None),
            Throws.TypeOf<JournalException>().With.Message.Contains("basmalin doctor --repair").And.Property("Fault").EqualTo(JournalFault.Damaged));
        Assert.That((await Journal.AdmitAsync(JournalFixture.Deploy("shop"), null, CancellationToken.None)).Superseded, Is.EqualTo(new[] { shop.Id }));
    }

    [Test]
    public async Task A_damaged_deployment_that_has_ended_is_named_and_harms_nothing()
    {
        var old = (await Journal.AdmitAsync(JournalFixture.Deploy("garden"), null, CancellationToken.None)).Deployment;
        await Journal.SaveDeploymentAsync(old with { State = DeploymentState.Failed, EndedAt = old.CreatedAt }, CancellationToken.None);
        await TouchAsync("UPDATE deployments SET created_at = 'then'");

        Assert.That(await Journal.DamagedStacksAsync(CancellationToken.None), Is.Empty);
        Assert.That((await Journal.DamagedDeploymentsAsync(CancellationToken.None)).Single(), Has.Property("Id").EqualTo(old.Id).And.Property("Unfinished").False);
        Assert.That((await Journal.AdmitAsync(JournalFixture.Deploy("garden"), null, CancellationToken.None)).Superseded, Is.Empty);
    }

    [Test]
    public async Task A_release_that_was_committed_still_fits_its_checksum()
    {
        var release = await Journal.AddReleaseAsync(JournalFixture.Release("garden"), CancellationToken.None);
        var deployment = (await Journal.AdmitAsync(JournalFixture.Deploy("garden"), null, CancellationToken.None)).Deployment with { Release = release.Number };
        await Journal.EndStepAsync(new StepEnd(deployment, StepKind.Commit, StepState.Succeeded, null, CommitRelease: true), CancellationToken.None);

        Assert.That(await Journal.DamagedStacksAsync(CancellationToken.None), Is.Empty);
    }

    [Test]
    public async Task A_full_disk_changes_nothing_says_so_and_passes_when_there_is_room()
    {
        var deployment = (await Journal.AdmitAsync(JournalFixture.Deploy("garden"), null, CancellationToken.None)).Deployment;
        var pages = await _fixture.Database.ReadAsync(session => session.Scalar<long>("PRAGMA page_count"), CancellationToken.None);
        await _fixture.Database.PragmaAsync($"max_page_count = {pages}");
        var large = deployment with { State = DeploymentState.Running, Failure = new StepFailure(FailureReason.Unexpected, new string('x', 100_000), "") };

        Assert.That(async () => await Journal.SaveDeploymentAsync(large, CancellationToken.None),
            Throws.TypeOf<JournalException>().With.Message.Contains("the disk is full"));
        Assert.That((await Journal.FindDeploymentAsync(deployment.Id, CancellationToken.None))?.State, Is.EqualTo(DeploymentState.Queued));

        await _fixture.Database.PragmaAsync("max_page_count = 1000000");
        await Journal.SaveDeploymentAsync(large, CancellationToken.None);
        Assert.That((await Journal.FindDeploymentAsync(deployment.Id, CancellationToken.None))?.State, Is.EqualTo(DeploymentState.Running));
    }

    [Test]
    public async Task A_journal_of_a_newer_version_is_refused_with_what_to_do()
    {
        await TouchAsync("INSERT INTO schema_migrations VALUES (9999, '9999_future.sql', 'x', 'then')");
        _fixture.Database.Dispose();

        var failure = await Assert.ThrowsAsync<JournalException>(ReopenAsync);

        Assert.That(failure?.Message, Does.Contain("was written by a newer BasMalin: its schema is number 9999").And.Contain("Install the newer version"));
    }

    [Test]
    public async Task A_database_of_somebody_else_is_not_touched()
    {
        var path = _fixture.Directory["other.db"];
        await using (var other = new SqliteConnection($"Data Source={path};Pooling=False"))
        {
            await other.OpenAsync();
            await using var command = other.CreateCommand();
            command.CommandText = "CREATE TABLE accounts (id INTEGER)";
            await command.ExecuteNonQueryAsync();
        }

        var failure = await Assert.ThrowsAsync<JournalException>(() => SqliteDatabase.OpenAsync(path, _fixture.Time, CancellationToken.None));

        Assert.That(failure?.Message, Does.Contain("not a journal of BasMalin"));
    }

    [Test]
    public async Task What_is_not_a_database_is_named_as_such()
    {
        var path = _fixture.Directory["text.db"];
        await File.WriteAllTextAsync(path, new string('a', 8192));

        var failure = await Assert.ThrowsAsync<JournalException>(() => SqliteDatabase.OpenAsync(path, _fixture.Time, CancellationToken.None));

        Assert.That(failure?.Message, Does.Contain(path).And.Contain("not a database"));
    }

    [Test]
    public async Task A_page_that_was_overwritten_is_found_at_the_start()
    {
        for (var i = 0; i < 50; i++) await Journal.AdmitAsync(JournalFixture.Apply("garden"), null, CancellationToken.None);
        _fixture.Database.Dispose();
        await using (var file = new FileStream(_fixture.Database.Path, FileMode.Open))
        {
            file.Position = file.Length / 2 / 4096 * 4096;
            await file.WriteAsync(new byte[4096 * 3]);
        }

        var failure = await Assert.ThrowsAsync<JournalException>(ReopenAsync);

        Assert.That(failure?.Message, Does.Contain("damaged"));
    }

    [Test]
    public void The_file_and_its_log_are_closed_to_others()
    {
        const UnixFileMode mode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        foreach (var file in new[] { "journal.db", "journal.db-wal", "journal.db-shm" })
            Assert.That(File.GetUnixFileMode(_fixture.Directory[file]), Is.EqualTo(mode), file);
    }

    private Task ReopenAsync() => SqliteDatabase.OpenAsync(_fixture.Database.Path, _fixture.Time, CancellationToken.None);

    private Task<int> TouchAsync(string sql) => _fixture.Database.WriteAsync(session => session.Execute(sql), CancellationToken.None);
}
