using System.Collections.Immutable;
using Orchestrator.Backups;
using Orchestrator.Backups.Postgres;
using Orchestrator.Stacks;
using Orchestrator.Tests.Docker;

namespace Orchestrator.Tests.Backups.Postgres;

/// <summary>The continuous log of real servers: to the second, through kills, promotions and losses.</summary>
public sealed class WalReceiverTests
{
    private static readonly BackupSpec Streamed = new() { Kind = "postgres", Wal = true };
    private static readonly BackupSpec Synchronous = Streamed with { Synchronous = true, SynchronousPatience = TimeSpan.FromSeconds(2) };

    [Test]
    public async Task A_restore_to_a_time_a_position_and_a_name_has_what_was_before_and_nothing_of_what_came_after()
    {
        await using var cluster = await Cluster.StartAsync();
        var store = cluster.Store();
        await cluster.ExecuteAsync("CREATE TABLE plants AS SELECT g AS id FROM generate_series(1, 1000) g");
        BackupPart part;
        DateTimeOffset moment;
        Lsn position;
        await using (var receiver = new RunningReceiver(cluster, store, cluster.With(Streamed)))
        {
            await receiver.UntilAsync(status => status.Streaming, "it streams");
            part = await cluster.Source.BackupAsync(cluster.Subject, store.Writer, CancellationToken.None);
            await cluster.ExecuteAsync("INSERT INTO plants SELECT g FROM generate_series(1001, 3000) g");
            moment = new(await Cluster.AskAsync<DateTime>(cluster.Subject, "SELECT clock_timestamp()"));
            position = Lsn.Parse(await Cluster.AskAsync<string>(cluster.Subject, "SELECT pg_current_wal_insert_lsn()::text"));
            await cluster.Source.MarkAsync(cluster.Subject, "before_the_disaster", CancellationToken.None);
            await cluster.ExecuteAsync("INSERT INTO plants VALUES (-1)");
            await cluster.ExecuteAsync("DROP TABLE plants");
            await cluster.ExecuteAsync("CREATE TABLE afterwards AS SELECT 7 AS seven");
            await receiver.StoredAsync();
            // The server's clock has to have passed the moment, for all to know that nothing of it is still to come.
            await receiver.UntilAsync(_ => store.Keys.Select(WalPiece.Parse).Any(piece => piece?.Through > moment), "the log reaches beyond the moment");
        }

        var positions = (string of) => new RestorePoint.Position(ImmutableSortedDictionary<string, string>.Empty.Add("db", of));
        var restored = await Task.WhenAll(
            CountAsync(new RestorePoint.OfSet(), "set"),
            CountAsync(new RestorePoint.At(moment), "time"),
            CountAsync(positions(position.ToString()), "lsn"),
            CountAsync(positions("before_the_disaster"), "name"));
        var latest = await cluster.RestoreAsync(part, new RestorePoint.Latest(), store, "latest");
        var byHand = await ByHandAsync(cluster, store, part, moment);
        var late = await Assert.ThrowsAsync<BackupFailedException>(() => cluster.Source.RestoreAsync(
            part, cluster.Target(cluster.NewDirectory("late"), new RestorePoint.At(moment.AddHours(1))), store.Reader, CancellationToken.None));

        Assert.Multiple(async () =>
        {
            Assert.That(restored, Is.EqualTo(new[] { 1000L, 3000L, 3000L, 3000L }));
            Assert.That(byHand, Is.EqualTo("3000 and nothing of afterwards"), "the recovery card, followed with age, zstd, tar and PostgreSQL");
            Assert.That(await Cluster.AskAsync<int>(latest, "SELECT seven FROM afterwards"), Is.EqualTo(7));
            Assert.That(await Cluster.AskAsync<bool>(latest, "SELECT to_regclass('plants') IS NULL"), Is.True);
            Assert.That(await new PostgresSettling(cluster.Logins).RunAsync(latest, CancellationToken.None), Is.True);
            Assert.That(await Cluster.AskAsync<string>(latest, "SELECT current_setting('restore_command') || pg_read_file('postgresql.auto.conf')"), Does.Not.Contain("basmalin_wal"));
            Assert.That(late!.Message, Does.Contain("lies beyond what there is"));
        });

        async Task<long> CountAsync(RestorePoint point, string name) =>
            await Cluster.AskAsync<long>(await cluster.RestoreAsync(part, point, store, name), "SELECT count(*) FROM plants WHERE id > 0 AND NOT EXISTS (SELECT 1 FROM plants WHERE id = -1)");
    }

    /// <summary>What an operator does who has the stores and a key, and nothing of ours.</summary>
    private static async Task<string> ByHandAsync(Cluster cluster, TestStore store, BackupPart part, DateTimeOffset moment)
    {
        var set = await store.PublishAsync(part, ((IBackupSource)cluster.Source).Recovery(part)!);
        await Command.EnsureAsync("/usr/bin/age", "age");
        await Command.EnsureAsync("/usr/bin/zstd", "zstd");
        var key = cluster.PathOf("offline.key");
        await File.WriteAllTextAsync(key, store.PrivateKey);
        var card = await File.ReadAllTextAsync(Path.Combine(store.Root, cluster.Lab.Stack, "RECOVERY.txt"));
        Assert.That(card, Does.Contain($"bash {cluster.Lab.Stack}/restore-postgres.sh KEYFILE SETID db TARGET TIME"));

        var target = cluster.PathOf("by-hand");
        var time = moment.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss.ffffff'+00'", System.Globalization.CultureInfo.InvariantCulture);
        await Command.RunAsync("bash", Path.Combine(store.Root, cluster.Lab.Stack, "restore-postgres.sh"), key, set.Id.Value, "db", target, time);
        var restored = await cluster.StartOnAsync(target, "by-hand");
        return await Cluster.AskAsync<string>(
            restored, "SELECT count(*) FILTER (WHERE id > 0) || ' and ' || CASE WHEN to_regclass('afterwards') IS NULL AND bool_and(id > 0) THEN 'nothing' ELSE 'something' END || ' of afterwards' FROM plants");
    }

    [Test]
    public async Task A_server_that_is_killed_under_load_loses_no_acknowledged_row_in_synchronous_mode()
    {
        await using var cluster = await Cluster.StartAsync();
        var store = cluster.Store();
        await cluster.ExecuteAsync(Writers.Table);
        BackupPart part;
        IReadOnlyDictionary<int, long> acknowledged;
        await using (var receiver = new RunningReceiver(cluster, store, cluster.With(Synchronous)))
        {
            await receiver.UntilAsync(status => status.Synchronous, "commits wait for it");
            part = await cluster.Source.BackupAsync(cluster.Subject, store.Writer, CancellationToken.None);
            await using var writers = new Writers(cluster.Subject, 4);
            await writers.UntilAsync(300);
            Assert.That(await Cluster.AskAsync<string>(cluster.Subject, "SELECT sync_state FROM pg_stat_replication WHERE application_name LIKE 'basmalin\\_%'"), Is.EqualTo("sync"));
            await cluster.Lab.Engine.StopAsync(cluster.Subject.Container.Id, TimeSpan.Zero, CancellationToken.None);
            await writers.StopAsync();
            acknowledged = writers.Acknowledged;
        }

        var restored = await cluster.RestoreAsync(part, new RestorePoint.Latest(), store, "after-kill");
        var lost = await LostAsync(restored, acknowledged);

        Assert.That(lost, Is.Empty, "client: acknowledged, restored");
        Assert.That(await Cluster.AskAsync<string>(restored, "SELECT current_setting('synchronous_standby_names')"), Is.Empty, "a copy waits for nobody");
    }

    [Test]
    public async Task A_server_and_a_host_that_are_lost_under_load_lose_at_most_the_rows_of_the_last_seconds_of_what_is_off_the_host()
    {
        await using var cluster = await Cluster.StartAsync();
        var store = cluster.Store();
        await cluster.ExecuteAsync(Writers.Table);
        // As it is in a daemon: a slice every three seconds.
        await using var receiver = new RunningReceiver(cluster, store, cluster.With(Streamed), RunningReceiver.Quick with { SliceEvery = new WalOptions { Directory = "" }.SliceEvery });
        await receiver.UntilAsync(status => status.Streaming, "it streams");
        var part = await cluster.Source.BackupAsync(cluster.Subject, store.Writer, CancellationToken.None);
        await using var writers = new Writers(cluster.Subject, 4);
        await writers.UntilOlderThanAsync(TimeSpan.FromSeconds(5), 4);
        // From this moment on nothing of this host reaches the stores any more.
        store.Before = (_, _) => throw new IOException("the host is gone");
        var at = TimeProvider.System.GetTimestamp();
        await cluster.Lab.Engine.StopAsync(cluster.Subject.Container.Id, TimeSpan.Zero, CancellationToken.None);
        await writers.StopAsync();

        var restored = await cluster.RestoreAsync(part, new RestorePoint.Latest(), store, "off-host");
        var lost = await LostAsync(restored, writers.AcknowledgedBefore(TimeSpan.FromSeconds(5), at));

        Assert.That(lost, Is.Empty, "client: acknowledged five seconds before, restored");
    }

    [Test]
    public async Task Commits_that_would_wait_for_a_receiver_that_does_not_answer_go_on_and_wait_again_when_it_does()
    {
        await using var cluster = await Cluster.StartAsync();
        var store = cluster.Store();
        await cluster.ExecuteAsync("CREATE TABLE notes (id int, body text)");
        await using var receiver = new RunningReceiver(cluster, store, cluster.With(Synchronous), RunningReceiver.Quick with { LocalLimit = 1 << 20 });
        await receiver.UntilAsync(status => status.Synchronous, "commits wait for it");
        store.Before = (_, _) => throw new IOException("No space left on device");

        // More than may wait here: the receiver stops, and nobody confirms what comes then.
        await cluster.ExecuteAsync("INSERT INTO notes SELECT g, repeat(md5(g::text), 40) FROM generate_series(1, 4000) g");
        await cluster.ExecuteAsync("INSERT INTO notes VALUES (0, 'went on')");
        await receiver.UntilAsync(status => !status.Synchronous && status.Findings.Any(finding => finding.What.Contains("commits do not wait")), "commits were let go, and it says so");
        Assert.That(await Cluster.AskAsync<string>(cluster.Subject, "SELECT current_setting('synchronous_standby_names')"), Is.Empty);

        store.Before = null;
        await receiver.UntilAsync(status => status.Synchronous, "they wait again");
        await receiver.StopAsync();

        Assert.That(await Cluster.AskAsync<string>(cluster.Subject, "SELECT current_setting('synchronous_standby_names')"), Is.Empty, "a receiver that is stopped lets them go first");
        await cluster.ExecuteAsync("INSERT INTO notes VALUES (1, 'nobody waits')");
    }

    [Test]
    public async Task A_log_that_the_server_has_thrown_away_is_recorded_as_lost_and_asks_for_a_new_base()
    {
        await using var cluster = await Cluster.StartAsync(true, "min_wal_size=32MB", "max_wal_size=32MB", "wal_keep_size=0");
        var store = cluster.Store();
        var subject = cluster.With(Streamed);
        await using (var receiver = new RunningReceiver(cluster, store, subject))
        {
            await receiver.UntilAsync(status => status.Streaming, "it streams");
            await receiver.StoredAsync();
            receiver.Receiver.BaseTaken();
        }

        var part = await cluster.Source.BackupAsync(subject, store.Writer, CancellationToken.None);
        await cluster.ExecuteAsync("SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots");
        for (var round = 0; round < 6; round++) await cluster.ExecuteAsync("CREATE TABLE IF NOT EXISTS churn (t text); INSERT INTO churn SELECT repeat('x', 1000) FROM generate_series(1, 12000); SELECT pg_switch_wal(); CHECKPOINT");
        await using (var receiver = new RunningReceiver(cluster, store, subject))
        {
            await receiver.UntilAsync(status => status is { Streaming: true, Gaps.Length: 1 }, "the gap is recorded and it streams again");
            Assert.That(receiver.Status.NewBaseReason, Does.Contain("is lost"));
            await receiver.StoredAsync();
            receiver.Receiver.BaseTaken();
            Assert.That(receiver.Status.NewBaseReason, Is.Null);
        }

        var pieces = store.Keys.Select(WalPiece.Parse).OfType<WalPiece>().ToList();
        var failure = await Assert.ThrowsAsync<BackupFailedException>(() => cluster.Source.RestoreAsync(part, cluster.Target(cluster.NewDirectory("gap"), new RestorePoint.Latest()), store.Reader, CancellationToken.None));

        Assert.That(WalChain.Gaps(pieces, [new(1, pieces.Min(piece => piece.Start), null)]), Has.Length.EqualTo(1));
        Assert.That(failure!.Message, Does.Contain("the log is broken after"));
    }

    [Test]
    public async Task A_promoted_standby_is_followed_to_its_timeline_and_a_restore_goes_through_the_switch()
    {
        await using var cluster = await Cluster.StartAsync();
        var store = cluster.Store();
        await cluster.ExecuteAsync("CREATE TABLE shifts AS SELECT 'old primary' AS what");
        BackupPart part;
        var standby = await cluster.StandbyAsync("standby");
        await using (var receiver = new RunningReceiver(cluster, store, cluster.With(Streamed)))
        {
            await receiver.UntilAsync(status => status.Streaming, "it streams");
            part = await cluster.Source.BackupAsync(cluster.Subject, store.Writer, CancellationToken.None);
            await cluster.ExecuteAsync("INSERT INTO shifts VALUES ('before the switch')");
            await receiver.StoredAsync();
            await GardenApp.Eventually.TrueAsync(async () => await Cluster.AskAsync<long>(standby, "SELECT count(*) FROM shifts") == 2, "the standby has it");

            await cluster.Lab.Engine.StopAsync(cluster.Subject.Container.Id, TimeSpan.Zero, CancellationToken.None);
            await Cluster.ExecuteAsync(standby, "SELECT pg_promote()");
            receiver.Subject = standby with { Service = cluster.With(Streamed).Service };
            await Cluster.ExecuteAsync(standby, "INSERT INTO shifts VALUES ('new primary')");
            await receiver.UntilAsync(status => status is { Timeline: 2, Streaming: true }, "it follows on timeline 2");
            await receiver.StoredAsync();
            Assert.That(receiver.Status.Gaps, Is.Empty);
        }

        var restored = await cluster.RestoreAsync(part, new RestorePoint.Latest(), store, "after-switch");
        var timeline = await Cluster.AskAsync<int>(restored, "SELECT timeline_id FROM pg_control_checkpoint()");

        Assert.That(await Cluster.AskAsync<string>(restored, "SELECT string_agg(what, ', ' ORDER BY what) FROM shifts"), Is.EqualTo("before the switch, new primary, old primary"));
        Assert.That(timeline, Is.GreaterThan(2), "a copy never takes a timeline's number for the second time");
    }

    /// <summary>Clients of which less is there than was acknowledged: client → acknowledged, restored.</summary>
    private static async Task<Dictionary<int, (long Acknowledged, long Restored)>> LostAsync(BackupSubject restored, IReadOnlyDictionary<int, long> acknowledged)
    {
        var lost = new Dictionary<int, (long, long)>();
        foreach (var (client, last) in acknowledged)
        {
            // Without holes: as many rows as the highest number says.
            var there = await Cluster.AskAsync<long>(restored, $"SELECT CASE WHEN count(*) = coalesce(max(n), 0) THEN count(*) ELSE -1 END FROM counted WHERE client = {client}");
            if (there < last) lost[client] = (last, there);
        }

        return lost;
    }
}
