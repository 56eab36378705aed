using Orchestrator.Backups;
using Orchestrator.Backups.Encryption;
using Orchestrator.Backups.Keeping;
using Orchestrator.Backups.Pipeline;
using Orchestrator.Backups.Stores;
using Orchestrator.Tests.Architecture;
using Orchestrator.Tests.Backups.Postgres;
using Orchestrator.Tests.Backups.Redis;
using Orchestrator.Tests.Backups.Volumes;
using Orchestrator.Tests.GardenApp;
using Orchestrator.Tests.Journal;

namespace Orchestrator.Tests.Backups.Keeping;

/// <summary>
/// Sets that an older version of this program wrote lie beside these tests, each with its key. They are never changed: what reads them no longer would lose
/// somebody's backups.
/// </summary>
public sealed class OlderSetTests
{
    private static string Folder => Repository.PathOf("Orchestrator.Tests", "Backups", "Keeping", "Older");

    private static IEnumerable<string> Versions => Directory.EnumerateDirectories(Folder).Select(directory => Path.GetFileName(directory)).Order(StringComparer.Ordinal);

    [TestCaseSource(nameof(Versions))]
    public Task A_Redis_that_an_older_version_has_kept_comes_back_with_what_was_received_after_the_set(string version) => RedisComesBackAsync(Path.Combine(Folder, version, "redis"));

    [TestCaseSource(nameof(Versions))]
    public Task A_volume_that_an_older_version_has_kept_comes_back(string version) => VolumeComesBackAsync(Path.Combine(Folder, version, "volume"));

    [TestCaseSource(nameof(Versions))]
    public Task A_PostgreSQL_that_an_older_version_has_kept_comes_back_with_what_was_received_after_the_set(string version) => PostgresComesBackAsync(Path.Combine(Folder, version, "postgres"));

    /// <summary>
    /// <c>BASMALIN_OLDER=0.1</c> leaves them beside the others, under that name: for when the format is about to change, run with the version before.
    /// </summary>
    [Test]
    public async Task Sets_of_this_version_are_as_those_are()
    {
        using var directory = new TemporaryDirectory();
        var folder = Environment.GetEnvironmentVariable("BASMALIN_OLDER") is { Length: > 0 } version ? Path.Combine(Folder, version) : directory.Path;

        await WriteRedisAsync(Path.Combine(folder, "redis"));
        await WriteVolumeAsync(Path.Combine(folder, "volume"));
        await WritePostgresAsync(Path.Combine(folder, "postgres"));

        await RedisComesBackAsync(Path.Combine(folder, "redis"));
        await VolumeComesBackAsync(Path.Combine(folder, "volume"));
        await PostgresComesBackAsync(Path.Combine(folder, "postgres"));
    }

    private static async Task RedisComesBackAsync(string folder)
    {
        await using var bed = await RedisBed.MakeAsync();
        await using var model = await RedisServer.StartAsync("--appendonly", "yes");
        var (part, reader) = await OpenAsync(folder);
        var volumes = new[] { await RedisServer.NewVolumeAsync(), await RedisServer.NewVolumeAsync() };
        try
        {
            await bed.Source.RestoreAsync(part, model.Target(await RedisServer.DirectoryOfAsync(volumes[0])), reader, CancellationToken.None);
            await bed.Source.RestoreAsync(part, model.Target(await RedisServer.DirectoryOfAsync(volumes[1]), new RestorePoint.Latest()), reader, CancellationToken.None);
            await using var asSet = await RedisServer.StartAsync(volumes[0], ["--appendonly", "yes"]);
            await using var latest = await RedisServer.StartAsync(volumes[1], ["--appendonly", "yes"]);

            Assert.That(await bed.Source.FingerprintsAsync(await asSet.SubjectAsync(), CancellationToken.None), Is.EqualTo(part.Fingerprints));
            Assert.That(await asSet.AskAsync("GET", "counter"), Is.EqualTo("7"));
            Assert.That(await latest.AskAsync("GET", "counter"), Is.EqualTo("12"), "received after the set");
        }
        finally
        {
            foreach (var volume in volumes) await DockerCli.TryAsync("volume", "rm", "-f", volume);
        }
    }

    private static async Task VolumeComesBackAsync(string folder)
    {
        using var bed = new VolumeBed();
        var (part, reader) = await OpenAsync(folder);

        await bed.RestoreAsync(part, reader);

        Assert.That(await bed.RestoredFingerprintsAsync(), Is.EqualTo(part.Fingerprints));
    }

    private static async Task PostgresComesBackAsync(string folder)
    {
        await using var cluster = await Cluster.StartAsync();
        var (part, reader) = await OpenAsync(folder);

        var asSet = await RestoredAsync(new RestorePoint.OfSet(), "as-set");
        var latest = await RestoredAsync(new RestorePoint.Latest(), "latest");

        var found = await cluster.Source.FingerprintsLikeAsync(part, asSet, CancellationToken.None);
        Assert.That(part.Fingerprints.Keys, Does.Contain("table garden.public.plants"));
        foreach (var (table, print) in part.Fingerprints) Assert.That(found.GetValueOrDefault(table), Is.EqualTo(print), table);
        Assert.That(await Cluster.AskAsync<long>(asSet, "SELECT count(*) FROM plants"), Is.EqualTo(1000));
        Assert.That(await Cluster.AskAsync<long>(latest, "SELECT count(*) FROM plants"), Is.EqualTo(1500), "received after the set");

        async Task<BackupSubject> RestoredAsync(RestorePoint point, string name)
        {
            var directory = cluster.NewDirectory(name);
            await cluster.Source.RestoreAsync(part, cluster.Target(directory, point) with { Stack = "garden" }, reader, CancellationToken.None);
            return await cluster.StartOnAsync(directory, name);
        }
    }

    private static async Task WritePostgresAsync(string folder)
    {
        await using var cluster = await Cluster.StartAsync();
        await cluster.ExecuteAsync("CREATE TABLE plants AS SELECT g AS id, 'plant ' || g AS name, jsonb_build_object('beds', g % 7) AS plan, now() AS planted FROM generate_series(1, 1000) g");
        var store = new TestStore(cluster.PathOf("store"), "garden");
        await using (var receiver = new RunningReceiver(cluster, store, cluster.With(new() { Kind = "postgres", Wal = true })))
        {
            await receiver.UntilAsync(status => status.Streaming, "it streams");
            var part = await cluster.Source.BackupAsync(cluster.Subject, store.Writer, CancellationToken.None);
            await store.PublishAsync(part, cluster.Source.Recovery(part)!);
            await cluster.ExecuteAsync("INSERT INTO plants SELECT g, 'later', '{}', now() FROM generate_series(1001, 1500) g");
            await receiver.StoredAsync();
        }

        await KeepAsync(store.Root, store.PrivateKey, folder);
    }

    private static async Task WriteRedisAsync(string folder)
    {
        await using var bed = await RedisBed.MakeAsync();
        await using var server = await RedisServer.StartAsync("--appendonly", "yes");
        await server.AskAsync("RPUSH", "list", "a", "300", "-5");
        await server.AskAsync("HSET", "hash", "f1", "v1", "f2", "99999999999");
        await server.AskAsync("ZADD", "zset", "2.5", "m2", "-inf", "m3");
        await server.AskAsync("SADD", "ints", "1", "70000");
        await server.AskAsync("XADD", "stream", "1-1", "name", "value");
        for (var count = 0; count < 7; count++) await server.AskAsync("INCR", "counter");
        await using (var stream = await RunningStream.StartAsync(bed, server))
        {
            await bed.Store.PublishAsync(async writer => await bed.Source.BackupAsync(await server.SubjectAsync(), writer, CancellationToken.None), part => ((IBackupSource)bed.Source).Recovery(part)!);
            for (var count = 0; count < 5; count++) await server.AskAsync("INCR", "counter");
            await stream.UntilStoredAsync(await RedisStreamTests.OffsetAsync(server));
        }

        await KeepAsync(bed.Store.Root, bed.Store.PrivateKey, folder);
    }

    private static async Task WriteVolumeAsync(string folder)
    {
        using var files = new VolumeBed();
        await VolumeBed.ShellAsync(files.Files, "mkdir -p deep/er; printf text > plain; ln plain deep/another; ln -s plain link; : > nothing; truncate -s 1M holes; printf x >> holes; chmod 0640 plain; printf y > \"$(printf 'not\\377utf8')\"");
        await files.PublishAsync();
        await KeepAsync(files.Store.Root, files.Store.PrivateKey, folder);
    }

    private static async Task KeepAsync(string root, string key, string folder)
    {
        Directory.CreateDirectory(folder);
        await Orchestrator.Tests.Docker.Command.RunAsync("cp", "-r", root, Path.Combine(folder, "store"));
        await File.WriteAllTextAsync(Path.Combine(folder, "offline.key"), key);
    }

    private static async Task<(BackupPart Part, BackupReader Reader)> OpenAsync(string folder)
    {
        Assert.That(AgeIdentity.TryParse((await File.ReadAllTextAsync(Path.Combine(folder, "offline.key"))).Trim(), out var key), Is.True);
        var store = new DirectoryStore("older", Path.Combine(folder, "store"), TimeProvider.System);
        var catalogue = await SetCatalogue.ReadAsync("garden", [store], CancellationToken.None);
        Assert.That(catalogue.Failures, Is.Empty);
        var repository = new BackupRepository("garden", [store], [key!.Recipient], new CopyOptions(), TimeProvider.System);
        return (catalogue.Sets.Single().Manifest.Parts.Single(), repository.Reader([key]));
    }
}
