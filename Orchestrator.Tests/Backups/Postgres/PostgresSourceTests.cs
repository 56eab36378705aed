using System.Collections.Concurrent;
using Microsoft.Extensions.Logging.Abstractions;
using Orchestrator.Backups;
using Orchestrator.Backups.Postgres;
using Orchestrator.Docker;
using Orchestrator.Tests.Docker;
using Orchestrator.Tests.GardenApp;

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
        """";

    // More than the queues on the way to a store hold, and of what cannot be compressed.
    private const string Pictures =
        "CREATE TABLE pictures AS SELECT g AS id, decode(string_agg(md5(random()::text || i), ''), 'hex') AS bytes FROM generate_series(1, 100) g, generate_series(1, 10000) i GROUP BY g";

    private Cluster _cluster = null!;

    [OneTimeSetUp]
    public async Task StartAsync()
    {
        _cluster = await Cluster.StartAsync();
        await _cluster.ExecuteAsync(Tables + Pictures);
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
        await OddFilesAsync();
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
        var found = await _cluster.Source.FingerprintsLikeAsync(part, restored, CancellationToken.None);
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

    /// <summary>What somebody has put beside the server's files is copied and listed as well.</summary>
    private async Task OddFilesAsync()
    {
        var made = await _cluster.Lab.Engine.ExecAsync(
            _cluster.Subject.Container.Id, ["sh", "-c", "cd \"$PGDATA\" && printf 1234567890 > 'odd \"ž\" \\.conf' && : > empty && chown --reference=PG_VERSION odd* empty"], null, CancellationToken.None);
        Assert.That(made.ExitCode, Is.Zero, made.Output);
    }

    [Test]
    public async Task A_server_that_refuses_to_compress_is_copied_nevertheless_and_it_is_said()
    {
        const string Words = "could not set compression worker count to 2: Unsupported parameter";
        var image = $"basmalin-test/{_cluster.Lab.Stack}:refusing";
        var program = _cluster.PathOf("pg_basebackup");
        await File.WriteAllTextAsync(program, $"#!/bin/sh\ncase \"$*\" in *--compress*) echo 'pg_basebackup: error: {Words}' >&2; exit 1; esac\nexec /usr/lib/postgresql/15/bin/pg_basebackup \"$@\"\n");
        File.SetUnixFileMode(program, (UnixFileMode)0b111_101_101);
        var seed = await _cluster.Lab.Engine.CreateAsync(_cluster.Lab.Request("refusing") with { Image = Cluster.Image }, CancellationToken.None);
        await Command.RunAsync("docker", "cp", program, $"{seed.Value}:/usr/local/sbin/pg_basebackup");
        await Command.RunAsync("docker", "commit", "--change", "ENV PATH=/usr/local/sbin:/usr/lib/postgresql/15/bin:/usr/bin:/bin", seed.Value, image);
        try
        {
            var store = _cluster.Store("refusing");
            var part = await _cluster.Source.BackupAsync(_cluster.Subject with { Image = image }, store.Writer, CancellationToken.None);
            var directory = _cluster.NewDirectory("restored-refusing");
            var target = _cluster.Target(directory, new RestorePoint.OfSet());
            await _cluster.Source.RestoreAsync(part, target, store.Reader, CancellationToken.None);
            var verified = await new PostgresProofs(_cluster.Lab.Engine, _cluster.Logins, _cluster.Tool).FilesAsync(target, CancellationToken.None);

            Assert.That(part.Facts["not_compressed_by_server"], Does.Contain(Words));
            Assert.That(part.Objects, Has.Length.EqualTo(2), "the server's own list is in the archive");
            Assert.That(verified, Is.EqualTo(new ProofResult(true, "backup successfully verified")));
        }
        finally
        {
            await Command.RunAsync("docker", "rmi", image);
        }
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
        await cluster.ExecuteAsync($"CREATE TABLE kept AS SELECT g AS id, md5(g::text) AS body FROM generate_series(1, 100000) g; {Pictures}");
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
    public async Task A_store_that_does_not_take_the_log_ends_the_hashing_beside_it()
    {
        var store = _cluster.Store("no-log");
        store.Before = (key, _) => key.Contains("wal.tar", StringComparison.Ordinal) ? throw new IOException("No space left on device") : Task.CompletedTask;

        Assert.That((await FailureAsync(() => _cluster.Source.BackupAsync(_cluster.Subject, store.Writer, CancellationToken.None))).Message, Does.Contain("wal.tar").And.Contain("No space left"));
        var left = $"SELECT count(*) FROM pg_stat_activity WHERE application_name = '{PostgresLogin.ApplicationName}'";
        await Eventually.TrueAsync(async () => await Cluster.AskAsync<long>(_cluster.Subject, left) == 0, "no session is left");
        Assert.That(store.Begun, Is.Empty);
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
    public async Task An_engine_that_does_not_answer_when_a_copy_is_called_off_holds_nobody_and_no_password_stays()
    {
        var tool = new ImageTool(SilentEngine.Of(_cluster.Lab.Engine), _cluster.PathOf("tool"), NullLogger<ImageTool>.Instance);
        var login = await _cluster.Logins.OfAsync(_cluster.Subject, CancellationToken.None);
        var reading = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using var stopping = new CancellationTokenSource();
        try
        {
            var running = tool.RunAsync(_cluster.Subject, login, ["sleep", "600"], (pipe, _) => Task.Run(() => Read(pipe), CancellationToken.None), stopping.Token);
            await reading.Task;
            await stopping.CancelAsync();

            Assert.That(async () => await running.WaitAsync(TimeSpan.FromMinutes(1)), Throws.InstanceOf<OperationCanceledException>());
            Assert.That(Directory.EnumerateFileSystemEntries(_cluster.PathOf("tool")), Is.Empty);
        }
        finally
        {
            await _cluster.Tool.RemoveLeftoversAsync(_cluster.Lab.Stack, CancellationToken.None);
        }

        void Read(Stream pipe)
        {
            reading.SetResult();
            _ = pipe.Read(new byte[1]);
            stopping.Token.ThrowIfCancellationRequested();
        }
    }

    [Test]
    public async Task A_server_that_ends_what_is_idle_or_long_is_copied_nevertheless()
    {
        await using var cluster = await Cluster.StartAsync(settings: ["idle_session_timeout=2s", "idle_in_transaction_session_timeout=2s", "statement_timeout=2s"]);
        var store = cluster.Store("idle");
        var delayed = new ConcurrentDictionary<string, bool>();
        store.Before = (key, bytes) => bytes > 0 && delayed.TryAdd(key, true) ? Task.Delay(TimeSpan.FromSeconds(3), TimeProvider.System) : Task.CompletedTask;

        var part = await cluster.Source.BackupAsync(cluster.Subject, store.Writer, CancellationToken.None);

        Assert.That(part.Objects, Has.Length.EqualTo(3));
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
