using System.Collections.Immutable;
using Microsoft.Extensions.Logging.Abstractions;
using Orchestrator.Backups;
using Orchestrator.Backups.Postgres;
using Orchestrator.Benchmarks.Deploy;
using Orchestrator.Benchmarks.Measuring;

namespace Orchestrator.Benchmarks.Backup;

/// <summary>A PostgreSQL database with real tables: copied and restored by us and by the usual script, memory by size, and what the continuous log costs.</summary>
/// <param name="megabytes">Of the one database that is measured; null: three sizes, and three rounds.</param>
internal sealed class BackupBenchmark(bool quick, int? megabytes, TimeProvider time)
{
    private const int MegabytesOfScale = 24;

    /// <summary>Copies until a process has compiled for good what it spends its time with: a daemon that makes backups every night is beyond that.</summary>
    private const int WarmingCopies = 4;

    /// <summary>pgbench's scale: about 24 MB each with what is put beside it.</summary>
    private int[] Scales => megabytes is { } wanted ? [Math.Max(1, wanted / MegabytesOfScale)] : quick ? [1] : [5, 60, 220];

    private int Rounds => quick || megabytes is not null ? 1 : 3;

    private int Compared => Scales.Length == 1 ? Scales[0] : 60;

    public async Task<Findings> RunAsync(CancellationToken cancellationToken)
    {
        await Images.EnsureAsync(cancellationToken);
        var directory = Directory.CreateTempSubdirectory("basmalin-bench-").FullName;
        // The server's user writes the script's file there.
        File.SetUnixFileMode(directory, (UnixFileMode)0b111_111_111);
        try
        {
            await using var cluster = await BenchCluster.StartAsync(directory, cancellationToken);
            var sizes = ImmutableArray.CreateBuilder<SizeResult>();
            BackupSubject? compared = null;
            foreach (var scale in Scales)
            {
                Progress.Say($"backup: filling a database of about {scale * MegabytesOfScale} MB");
                var subject = await cluster.ServerAsync($"of{scale}", null, cancellationToken);
                await BenchCluster.FillAsync(subject, scale, cancellationToken);
                sizes.Add(await SizeCommand.RunAsync(cluster, subject, cancellationToken));
                if (scale == Compared) compared = subject;
                else await BenchCluster.StopAsync(subject, cancellationToken);
            }

            if (compared is null) throw new InvalidOperationException("No size was compared.");
            return BackupReport.Of(sizes.ToImmutable(), await RaceAsync(cluster, compared, cancellationToken), await CostAsync(cluster, compared, cancellationToken));
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }

    private async Task<RaceResult> RaceAsync(BenchCluster cluster, BackupSubject subject, CancellationToken cancellationToken)
    {
        var (dump, copy, replay, restore) = (new List<double>(), new List<double>(), new List<double>(), new List<double>());
        var file = Path.Combine(cluster.Directory, "dump.sql.gz");
        var warming = quick ? 0 : WarmingCopies;
        for (var copied = 0; copied < warming; copied++)
        {
            Progress.Say($"backup: copying to get warm, {copied + 1} of {warming}");
            var unused = new BenchStore(cluster.Directory, cluster.Stack, "warm");
            await CopyAsync(cluster, subject, unused, cancellationToken);
            unused.Remove();
        }

        for (var round = 1; round <= Rounds; round++)
        {
            Progress.Say($"backup: the usual script, and we; round {round} of {Rounds}");
            dump.Add(await SecondsAsync(() => BenchCluster.ShellAsync(subject, $"pg_dump -U bench bench | gzip > {file}", cancellationToken)));
            var keep = new BenchStore(cluster.Directory, cluster.Stack, $"race{round}");
            var (part, took) = await CopyAsync(cluster, subject, keep, cancellationToken);
            copy.Add(took.TotalSeconds);

            var empty = await cluster.ServerAsync($"empty{round}", null, cancellationToken);
            replay.Add(await SecondsAsync(() => BenchCluster.ShellAsync(empty, $"gunzip -c {file} | psql -q -v ON_ERROR_STOP=1 -U bench bench > /dev/null", cancellationToken)));
            await BenchCluster.StopAsync(empty, cancellationToken);

            var data = Directory.CreateDirectory(Path.Combine(cluster.Directory, $"data{round}")).FullName;
            restore.Add(await SecondsAsync(async () =>
            {
                await BenchCluster.Source(cluster.Engine, cluster.Directory, time).RestoreAsync(part, Target(cluster, data), keep.Reader, cancellationToken);
                await BenchCluster.StopAsync(await cluster.ServerAsync($"restored{round}", data, cancellationToken), cancellationToken);
                return "";
            }));
            keep.Remove();
            Directory.Delete(data, recursive: true);
        }

        return new(await BenchCluster.BytesAsync(subject, cancellationToken) / 1e6, dump.Min(), copy.Min(), replay.Min(), restore.Min(), warming);
    }

    private async Task<LogCost> CostAsync(BenchCluster cluster, BackupSubject subject, CancellationToken cancellationToken)
    {
        var seconds = quick ? 2 : megabytes is null ? 20 : 8;
        var (without, with, synchronous) = (new List<double>(), new List<double>(), new List<double>());
        for (var round = 1; round <= Rounds; round++)
        {
            Progress.Say($"backup: what the continuous log costs, round {round} of {Rounds}");
            without.Add(await BenchCluster.LoadAsync(subject, seconds, cancellationToken));
            with.Add(await StreamedAsync(cluster, subject, false, seconds, cancellationToken));
            synchronous.Add(await StreamedAsync(cluster, subject, true, seconds, cancellationToken));
        }

        return new(Median(without), Median(with), Median(synchronous));
    }

    private async Task<double> StreamedAsync(BenchCluster cluster, BackupSubject subject, bool synchronous, int seconds, CancellationToken cancellationToken)
    {
        var keep = new BenchStore(cluster.Directory, cluster.Stack, "log");
        var streamed = subject with { Service = subject.Service with { BasMalin = new() { Backup = new() { Kind = "postgres", Wal = true, Synchronous = synchronous } } } };
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        await using var receiver = new WalReceiver(
            new(cluster.Stack, "db", _ => Task.FromResult<BackupSubject?>(streamed)),
            BenchCluster.Logins(cluster.Engine),
            new(keep.Stream, keep.Reader, keep.DeleteAsync),
            new() { Directory = Path.Combine(cluster.Directory, "wal") },
            time,
            NullLogger<WalReceiver>.Instance);
        var run = receiver.RunAsync(stop.Token);
        while (!receiver.Status.Streaming || receiver.Status.Synchronous != synchronous) await Task.Delay(TimeSpan.FromMilliseconds(50), time, cancellationToken);
        var tps = await BenchCluster.LoadAsync(subject, seconds, cancellationToken);
        await stop.CancelAsync();
        await run;
        keep.Remove();
        return tps;
    }

    private async Task<(BackupPart Part, TimeSpan Took)> CopyAsync(BenchCluster cluster, BackupSubject subject, BenchStore keep, CancellationToken cancellationToken)
    {
        var began = time.GetTimestamp();
        var part = await BenchCluster.Source(cluster.Engine, cluster.Directory, time).BackupAsync(subject, keep.Writer, cancellationToken);
        return (part, time.GetElapsedTime(began));
    }

    private static RestoreTarget Target(BenchCluster cluster, string data) => new()
    {
        Stack = cluster.Stack,
        Service = BenchCluster.Service,
        Image = BenchCluster.Image,
        Directories = ImmutableSortedDictionary<string, string>.Empty.Add(BenchCluster.Data, data),
        Point = new RestorePoint.OfSet(),
    };

    private async Task<double> SecondsAsync(Func<Task<string>> run)
    {
        var began = time.GetTimestamp();
        await run();
        return time.GetElapsedTime(began).TotalSeconds;
    }

    private static double Median(List<double> values) => values.Order().ElementAt(values.Count / 2);
}

/// <param name="WarmingCopies">What the process had done before.</param>
internal sealed record RaceResult(double Megabytes, double DumpSeconds, double CopySeconds, double ReplaySeconds, double RestoreSeconds, int WarmingCopies);

/// <summary>Transactions per second without the continuous log, with it, and with commits that wait for it.</summary>
internal sealed record LogCost(double Without, double With, double Synchronous);
