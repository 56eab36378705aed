using System.Collections.Immutable;
using System.Globalization;
using Microsoft.Extensions.Logging.Abstractions;
using Orchestrator.Backups;
using Orchestrator.Backups.Redis;
using Orchestrator.Backups.Volumes;
using Orchestrator.Benchmarks.Deploy;
using Orchestrator.Benchmarks.Measuring;
using Orchestrator.Docker;
using Orchestrator.Journal.Sqlite;
using Orchestrator.Secrets;
using Orchestrator.Stacks;
using Findings = Orchestrator.Benchmarks.Measuring.Findings;

namespace Orchestrator.Benchmarks.Backup;

/// <summary>A Redis and a volume, copied by us and by the usual scripts: <c>redis-cli --rdb</c> and <c>tar | gzip</c>.</summary>
internal sealed class CopiesBenchmark(bool quick, TimeProvider time)
{
    private const string Uploads = "/uploads";

    private int Rounds => quick ? 1 : 3;

    /// <summary>Keys of the Redis, of 200 bytes that hardly compress.</summary>
    private int Keys => quick ? 10_000 : 2_000_000;

    /// <summary>Files of the volume: nine of ten are pictures of 200 KB, one is text of 1 MB.</summary>
    private int Files => quick ? 20 : 3_000;

    public async Task<Findings> RunAsync(CancellationToken cancellationToken)
    {
        await Images.EnsureAsync(cancellationToken);
        var directory = Directory.CreateTempSubdirectory("basmalin-bench-").FullName;
        // The server's user writes the script's file there.
        File.SetUnixFileMode(directory, (UnixFileMode)0b111_111_111);
        try
        {
            await using var cluster = await BenchCluster.StartAsync(directory, cancellationToken);
            var redis = await RedisAsync(cluster, cancellationToken);
            return Report(redis, await VolumeAsync(directory, cancellationToken));
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }

    private async Task<CopyResult> RedisAsync(BenchCluster cluster, CancellationToken cancellationToken)
    {
        Progress.Say($"copies: filling a Redis with {Keys.ToString("#,0", CultureInfo.InvariantCulture)} keys");
        var subject = await cluster.RedisAsync(cancellationToken);
        await BenchCluster.FillRedisAsync(subject, Keys, cancellationToken);
        using var database = await SqliteDatabase.OpenAsync(Path.Combine(cluster.Directory, "journal.db"), time, cancellationToken);
        var source = new RedisSource(cluster.Engine, new SecretStore(database, KeyRing.Open(Path.Combine(cluster.Directory, "key"), hasSecrets: false), time), time);
        var file = Path.Combine(cluster.Directory, "dump.rdb");
        var (script, own) = (new List<double>(), new List<double>());
        for (var round = 1; round <= Rounds; round++)
        {
            Progress.Say($"copies: redis-cli --rdb, and we; round {round} of {Rounds}");
            script.Add(await SecondsAsync(() => BenchCluster.ShellAsync(subject, $"redis-cli --rdb {file}", cancellationToken)));
            var store = new BenchStore(cluster.Directory, cluster.Stack, $"redis{round}");
            own.Add(await SecondsAsync(() => source.BackupAsync(subject, store.Writer, cancellationToken)));
            store.Remove();
        }

        var bytes = new FileInfo(file).Length;
        await BenchCluster.StopAsync(subject, cancellationToken);
        return new(bytes / 1e6, script.Min(), own.Min(), null);
    }

    private async Task<CopyResult> VolumeAsync(string directory, CancellationToken cancellationToken)
    {
        var files = Directory.CreateDirectory(Path.Combine(directory, "files")).FullName;
        Progress.Say($"copies: a volume of {Files.ToString("#,0", CultureInfo.InvariantCulture)} files");
        var bytes = await FillAsync(files, cancellationToken);
        var (script, own, again) = (new List<double>(), new List<double>(), new List<double>());
        for (var round = 1; round <= Rounds; round++)
        {
            Progress.Say($"copies: tar | gzip, and we; round {round} of {Rounds}");
            var archive = Path.Combine(directory, "files.tar.gz");
            script.Add(await SecondsAsync(() => ExternalProgram.RunAsync("sh", ["-c", $"tar -C {files} -cf - . | gzip > {archive}"], cancellationToken)));
            var store = new BenchStore(directory, "bench", $"volume{round}");
            var kept = Path.Combine(directory, $"kept{round}");
            var source = new VolumeSource(new(kept), time, NullLogger<VolumeSource>.Instance);
            BackupPart? first = null;
            own.Add(await SecondsAsync(async () => first = await source.BackupAsync(SubjectOf(files), store.Writer, cancellationToken)));
            again.Add(await SecondsAsync(() => source.BackupAsync(SubjectOf(files), store.After(first!), cancellationToken)));
            store.Remove();
        }

        return new(bytes / 1e6, script.Min(), own.Min(), again.Min());
    }

    private async Task<long> FillAsync(string files, CancellationToken cancellationToken)
    {
        var random = new Random(1);
        var picture = new byte[200_000];
        var text = string.Join('\n', Enumerable.Range(0, 20_000).Select(line => $"garden {line % 977}: soil {random.Next(100)} %, light {random.Next(1000)} lx, ph 6.{line % 10}"));
        var yesterday = time.GetUtcNow().UtcDateTime.AddDays(-1);
        var bytes = 0L;
        for (var number = 0; number < Files; number++)
        {
            var folder = Directory.CreateDirectory(Path.Combine(files, $"{number / 100}")).FullName;
            var path = Path.Combine(folder, $"{number}");
            if (number % 10 == 0) await File.WriteAllTextAsync(path, $"{number}\n{text}", cancellationToken);
            else
            {
                random.NextBytes(picture);
                await File.WriteAllBytesAsync(path, picture, cancellationToken);
            }

            // What was written a moment ago could still change within the same second.
            File.SetLastWriteTimeUtc(path, yesterday);
            bytes += new FileInfo(path).Length;
        }

        return bytes;
    }

    private static BackupSubject SubjectOf(string files) => new()
    {
        Stack = "bench",
        Service = new()
        {
            Name = "app",
            Role = ServiceRole.Stateful,
            Coloured = false,
            Image = "app",
            Container = new() { Mounts = [new(MountKind.Volume, "uploads", Uploads, ReadOnly: false, CreateHostPath: false)] },
            BasMalin = new() { Backup = new() { Kind = "volume" } },
        },
        Container = new ObservedContainer
        {
            Id = new ContainerId("none"),
            Name = "app",
            Labels = ImmutableSortedDictionary<string, string>.Empty,
            State = ContainerState.Running,
            ImageId = "none",
            Directories = ImmutableSortedDictionary<string, string>.Empty.Add(Uploads, files),
        },
        Image = "app",
        Address = "none",
    };

    private async Task<double> SecondsAsync<T>(Func<Task<T>> run)
    {
        var began = time.GetTimestamp();
        await run();
        return time.GetElapsedTime(began).TotalSeconds;
    }

    private static Findings Report(CopyResult redis, CopyResult volume) => new(
        "copies",
        new { redis, volume },
        [],
        [
            new(
                "Redis and a volume: the usual script and we",
                ["", "MB", "script, s", "script, MB/s", "BasMalin, s", "BasMalin, MB/s", "times faster"],
                [
                    Row("redis-cli --rdb", redis.Megabytes, redis.ScriptSeconds, redis.Seconds),
                    Row("tar | gzip", volume.Megabytes, volume.ScriptSeconds, volume.Seconds),
                    Row("tar | gzip, nothing having changed since the last copy", volume.Megabytes, volume.ScriptSeconds, volume.AgainSeconds ?? double.NaN),
                ])
            {
                Note = "redis-cli writes what it is sent into a file, neither compressed nor encrypted nor counted. BasMalin: a digest of every key or the hash of every file, zstd, age for two keys, a directory, read back and verified. "
                    + "The fastest of the rounds each; all on one machine and one disk.",
            },
        ]);

    private static ImmutableArray<string> Row(string name, double megabytes, double script, double own) =>
        [name, Number(megabytes), Seconds(script), Number(megabytes / script), Seconds(own), Number(megabytes / own), string.Create(CultureInfo.InvariantCulture, $"{script / own:0.0} ×")];

    private static string Seconds(double value) => string.Create(CultureInfo.InvariantCulture, $"{value:0.00}");

    private static string Number(double value) => string.Create(CultureInfo.InvariantCulture, $"{value:#,0}");
}

/// <param name="AgainSeconds">The second time, when nothing had changed; null: not measured.</param>
internal sealed record CopyResult(double Megabytes, double ScriptSeconds, double Seconds, double? AgainSeconds);
