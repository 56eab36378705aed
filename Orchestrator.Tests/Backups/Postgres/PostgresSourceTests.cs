using Orchestrator.Backups;
using Orchestrator.Backups.Postgres;
using Orchestrator.Docker;
using Orchestrator.Tests.Docker;

namespace Orchestrator.Tests.Backups.Postgres;

/// <summary>A real server is copied while it is written to, and what was copied is started again.</summary>
[NonParallelizable]     // one server for all, and some tests kill it
public sealed class PostgresSourceTests
{
    private const string Tables =
        """"
        CREATE TABLE gardens AS SELECT g AS id, 'garden ' || g AS name, jsonb_build_object('plants', g % 7) AS plan, now() + g * interval '1 s' AS planted FROM generate_series(1, 50000) g;
        CREATE TABLE "Odd ""name""" (doc json, shape point, note text, "order" money);
        INSERT INTO "Odd ""name""" VALUES ('{"a": 1}', '(1,2)', NULL, 12.5), ('{"a": 1}', '(1,2)', NULL, 12.5), (NULL, NULL, 'ž', NULL);
        CREATE UNLOGGED TABLE scratch AS SELECT 1 AS one;
        CREATE TABLE nothing ();
        CREATE TABLE pictures AS SELECT g AS id, decode(string_agg(md5(random()::text || i), ''), 'hex') AS bytes FROM generate_series(1, 100) g, generate_series(1, 10000) i GROUP BY g;
        """";

    private Cluster _cluster = null!;

    [OneTimeSetUp]
    public async Task StartAsync()
    {
        _cluster = await Cluster.StartAsync();
        await _cluster.ExecuteAsync(Tables);
        await _cluster.ExecuteAsync(Writers.Table);
        await _cluster.ExecuteAsync("CREATE DATABASE second");
        await _cluster.ExecuteAsync("CREATE TABLE other AS SELECT 'kept' AS what", "second");
    }

    [OneTimeTearDown]
    public async Task StopAsync()
    {
        if (_cluster is not null) await _cluster.DisposeAsync();
    }

    [Test]
    public async Task A_set_made_under_load_restores_with_nothing_but_itself_and_equals_its_fingerprints_to_the_last_row()
    {
        var store = _cluster.Store("load");
        BackupPart part;
        await using (var writers = new Writers(_cluster.Subject, 4))
        {
            await writers.UntilAsync(200);
            part = await _cluster.Source.BackupAsync(_cluster.Subject, store.Writer, CancellationToken.None);
            await writers.UntilAsync(200);
        }

        var directory = _cluster.NewDirectory("restored-load");
        var target = _cluster.Target(directory, new RestorePoint.OfSet());
        await _cluster.Source.RestoreAsync(part, target, store.Reader, CancellationToken.None);
        var proofs = new PostgresProofs(_cluster.Lab.Engine, _cluster.Logins, _cluster.Tool);
        var verified = await proofs.FilesAsync(target, CancellationToken.None);
        Flip(directory);
        var damaged = await proofs.FilesAsync(target, CancellationToken.None);
        Flip(directory);
        var restored = await _cluster.StartOnAsync(directory, "restored-load");
        var found = await _cluster.Source.FingerprintsAsync(restored, CancellationToken.None);
        var indexes = await proofs.IndexesAsync(restored, CancellationToken.None);

        Assert.Multiple(async () =>
        {
            Assert.That(verified, Is.EqualTo(new ProofResult(true, "backup successfully verified")));
            Assert.That(damaged.Passed, Is.False, damaged.Detail);
            Assert.That(indexes.Passed, Is.True, indexes.Detail);
            Assert.That(part.Fingerprints.Keys, Is.SupersetOf(new[] { "table garden.public.gardens", "table garden.public.counted", "table second.public.other", "table garden.public.Odd \"name\"" }),
                string.Join(", ", part.Facts.Select(fact => $"{fact.Key}={fact.Value}")));
            Assert.That(part.Fingerprints.Keys, Has.None.Contains("scratch"));
            foreach (var (table, print) in part.Fingerprints) Assert.That(found.GetValueOrDefault(table), Is.EqualTo(print), table);
            Assert.That(part.Fingerprints["table garden.public.gardens"], Does.StartWith("50000:"));
            Assert.That(await Cluster.AskAsync<string>(restored, "SELECT coalesce(string_agg(name, ','), '') FROM pg_ls_dir('.') name WHERE name LIKE 'basmalin%' OR name LIKE '%.signal'", "postgres"), Is.Empty);
        });
    }

    [Test]
    public async Task A_changed_value_changes_the_fingerprint_and_the_order_of_rows_does_not()
    {
        await _cluster.ExecuteAsync("CREATE TABLE print (a int, b text); INSERT INTO print SELECT g, 'b' FROM generate_series(1, 100) g");
        var before = await PrintAsync();
        await _cluster.ExecuteAsync("CREATE TABLE print2 AS SELECT * FROM print ORDER BY a DESC; DROP TABLE print; ALTER TABLE print2 RENAME TO print");
        var reordered = await PrintAsync();
        await _cluster.ExecuteAsync("UPDATE print SET b = 'c' WHERE a = 50");
        var changed = await PrintAsync();

        Assert.That((reordered == before, changed == before), Is.EqualTo((true, false)));

        async Task<string> PrintAsync() => (await _cluster.Source.FingerprintsAsync(_cluster.Subject, CancellationToken.None))["table garden.public.print"];
    }

    [Test]
    public async Task A_copying_container_that_is_killed_leaves_nothing()
    {
        var store = _cluster.Store("killed-tool");
        store.Before = async (name, bytes) =>
        {
            if (bytes > 0 && name.Contains("base.tar", StringComparison.Ordinal)) await KillAsync(seen => seen.IsBackup);
        };

        var failure = await FailureAsync(() => _cluster.Source.BackupAsync(_cluster.Subject, store.Writer, CancellationToken.None));

        Assert.That(failure.Message, Does.Contain("pg_basebackup ended with 137"));
        await AssertNothingIsLeftAsync(store);
    }

    [Test]
    public async Task A_database_that_is_killed_while_it_is_copied_leaves_nothing_and_is_copied_when_it_is_back()
    {
        await using var cluster = await Cluster.StartAsync();
        await cluster.ExecuteAsync("CREATE TABLE kept AS SELECT g AS id, md5(g::text) AS body FROM generate_series(1, 100000) g");
        var store = cluster.Store("killed-server");
        var kill = true;
        store.Before = async (name, bytes) =>
        {
            if (!kill || bytes == 0 || !name.Contains("base.tar", StringComparison.Ordinal)) return;
            kill = false;
            await cluster.Lab.Engine.StopAsync(cluster.Subject.Container.Id, TimeSpan.Zero, CancellationToken.None);
        };

        var failure = await FailureAsync(() => cluster.Source.BackupAsync(cluster.Subject, store.Writer, CancellationToken.None));
        Assert.That(failure.Message, Does.Contain("db: "), "it is said of which service");
        Assert.That(store.Keys.Concat(store.Begun), Is.Empty);
        Assert.That((await cluster.Lab.Engine.ListAsync(cluster.Lab.Stack, CancellationToken.None)).Where(seen => seen.IsBackup), Is.Empty);

        await cluster.Lab.Engine.StartAsync(cluster.Subject.Container.Id, CancellationToken.None);
        var back = await cluster.SubjectAsync(cluster.Subject.Container.Id);
        await cluster.ReadyAsync(back);
        var part = await cluster.Source.BackupAsync(back, cluster.Store("again").Writer, CancellationToken.None);

        Assert.That(part.Fingerprints["table garden.public.kept"], Does.StartWith("100000:"));
    }

    [Test]
    public async Task A_store_that_fails_in_the_middle_leaves_nothing()
    {
        var store = _cluster.Store("full");
        store.Before = (_, bytes) => bytes > 1_000_000 ? throw new IOException("No space left on device") : Task.CompletedTask;

        Assert.That((await FailureAsync(() => _cluster.Source.BackupAsync(_cluster.Subject, store.Writer, CancellationToken.None))).Message, Does.Contain("No space left"));
        await AssertNothingIsLeftAsync(store);
    }

    [Test]
    public async Task The_copying_container_has_no_rights_and_shows_no_password()
    {
        var store = _cluster.Store("inspected");
        var inspected = "";
        store.Before = async (name, bytes) =>
        {
            if (inspected.Length > 0 || bytes == 0) return;
            var tool = (await _cluster.Lab.Engine.ListAsync(_cluster.Lab.Stack, CancellationToken.None)).Single(seen => seen.IsBackup);
            inspected = await Command.RunAsync("docker", "inspect", tool.Id.Value) + await Command.RunAsync("docker", "top", tool.Id.Value, "-eo", "pid,uid,args");
        };

        await _cluster.Source.BackupAsync(_cluster.Subject, store.Writer, CancellationToken.None);

        Assert.Multiple(() =>
        {
            Assert.That(inspected, Does.Contain("\"ReadonlyRootfs\": true").And.Contain("no-new-privileges").And.Contain("\"ALL\""));
            Assert.That(inspected, Does.Contain("pg_basebackup").And.Not.Contain("p:a"));
            Assert.That(inspected, Does.Match(@"(?m)^\d+\s+65534\s"));
        });
    }

    [Test]
    public async Task What_a_killed_daemon_has_left_is_taken_away_at_the_next_start()
    {
        var left = _cluster.Lab.Request("left-over", null, "sleep", "600");
        await _cluster.Lab.RunAsync(left with { Image = Cluster.Image, Networks = [new(_cluster.Network, [])], Labels = left.Labels.SetItem(Labels.Kind, "backup") });
        Directory.CreateDirectory(Path.Combine(_cluster.PathOf("tool"), $"{_cluster.Lab.Stack}.left"));

        var removed = await _cluster.Tool.RemoveLeftoversAsync(_cluster.Lab.Stack, CancellationToken.None);

        Assert.That(removed, Is.EqualTo(1));
        await AssertNothingIsLeftAsync(_cluster.Store("left"));
    }

    [Test]
    public async Task A_wrong_password_and_a_missing_right_are_said_with_the_line_that_mends_them()
    {
        await _cluster.ExecuteAsync("CREATE ROLE plain LOGIN PASSWORD 'not it'");

        var wrong = await _cluster.Source.CheckAsync(_cluster.With(new() { Kind = "postgres", PasswordSecret = "wrong" }), CancellationToken.None);
        var right = await _cluster.Source.CheckAsync(_cluster.With(new() { Kind = "postgres", User = "plain", PasswordSecret = "wrong" }), CancellationToken.None);
        var missing = await _cluster.Source.CheckAsync(_cluster.With(new() { Kind = "postgres", PasswordSecret = "none" }), CancellationToken.None);
        var good = await _cluster.Source.CheckAsync(_cluster.Subject, CancellationToken.None);
        var failure = await FailureAsync(() => _cluster.Source.BackupAsync(_cluster.With(new() { Kind = "postgres", PasswordSecret = "wrong" }), _cluster.Store("wrong").Writer, CancellationToken.None));

        Assert.Multiple(() =>
        {
            Assert.That(wrong.Single(), Has.Property("Blocking").True.And.Property("What").Contain("wrong password for role garden"));
            Assert.That(right.Where(finding => finding.Blocking).Select(finding => finding.Hint), Is.EqualTo(new[]
            {
                "ALTER ROLE \"plain\" REPLICATION",
                "In each database that the role may connect to, as a superuser: GRANT EXECUTE ON FUNCTION pg_catalog.pg_create_restore_point(text) TO \"plain\"",
            }));
            Assert.That(missing.Single().Hint, Does.Contain("basmalin secret set").And.Contain("none"));
            Assert.That(good, Is.Empty);
            Assert.That(failure.Message, Does.Contain("wrong password"));
        });
    }

    private async Task AssertNothingIsLeftAsync(TestStore store)
    {
        Assert.That((await _cluster.Lab.Engine.ListAsync(_cluster.Lab.Stack, CancellationToken.None)).Where(seen => seen.IsBackup), Is.Empty);
        Assert.That(Directory.Exists(_cluster.PathOf("tool")) ? Directory.EnumerateFileSystemEntries(_cluster.PathOf("tool")) : [], Is.Empty);
        Assert.That(store.Keys.Concat(store.Begun), Is.Empty);
        Assert.That(await Cluster.AskAsync<long>(_cluster.Subject, "SELECT count(*) FROM pg_replication_slots"), Is.Zero);
    }

    private async Task KillAsync(Func<ObservedContainer, bool> which)
    {
        foreach (var container in (await _cluster.Lab.Engine.ListAsync(_cluster.Lab.Stack, CancellationToken.None)).Where(which))
            await _cluster.Lab.Engine.StopAsync(container.Id, TimeSpan.Zero, CancellationToken.None);
    }

    private static async Task<BackupFailedException> FailureAsync(Func<Task> act) => (await Assert.ThrowsAsync<BackupFailedException>(() => act()))!;

    /// <summary>Changes one bit in the middle of the largest file, or changes it back.</summary>
    private static void Flip(string directory)
    {
        var largest = new DirectoryInfo(Path.Combine(directory, "base")).EnumerateFiles("*", SearchOption.AllDirectories).MaxBy(file => file.Length)!;
        using var file = largest.Open(FileMode.Open, FileAccess.ReadWrite);
        file.Position = largest.Length / 2;
        var value = file.ReadByte();
        file.Position--;
        file.WriteByte((byte)(value ^ 1));
    }
}
