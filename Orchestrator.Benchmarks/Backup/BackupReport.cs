using System.Collections.Immutable;
using System.Globalization;
using Orchestrator.Benchmarks.Measuring;

namespace Orchestrator.Benchmarks.Backup;

/// <summary>The numbers of backups in words.</summary>
internal static class BackupReport
{
    private const double MemoryLimit = 150;

    public static Findings Of(ImmutableArray<SizeResult> sizes, RaceResult race, LogCost cost)
    {
        var (faster, sooner) = (race.DumpSeconds / race.CopySeconds, race.ReplaySeconds / race.RestoreSeconds);
        var peak = sizes.Max(size => size.PeakMegabytes);
        return new(
            "backup",
            new { Sizes = sizes, Race = race, Cost = cost },
            [
                new("backup, encrypted and compressed, against pg_dump | gzip", "at least 4 times faster", Times(faster), faster >= 4),
                new("restore until the database answers, against gunzip | psql", "at least 3 times faster", Times(sooner), sooner >= 3),
                new("memory of the whole process while copying, whatever the size", $"at most {MemoryLimit:0} MB", $"{peak:0} MB", peak <= MemoryLimit),
            ],
            [
                new(
                    $"PostgreSQL of {race.Megabytes:0} MB: the usual script and we",
                    ["", "script, s", "BasMalin, s", "times faster"],
                    [
                        ["backup", Seconds(race.DumpSeconds), Seconds(race.CopySeconds), Times(faster)],
                        ["restore until it answers", Seconds(race.ReplaySeconds), Seconds(race.RestoreSeconds), Times(sooner)],
                    ])
                {
                    Note = "Script: pg_dump | gzip to a file in the container, gunzip | psql into a server that is ready. BasMalin: base, log and fingerprints of every table, through zstd and age for two "
                        + "keys into a directory, read back and verified; restored with an image started on it. All on one disk; the fastest of the rounds each, in a process that has made "
                        + (race.WarmingCopies == 0 ? "no copies before." : $"{race.WarmingCopies} copies before."),
                },
                new("Memory by size, each in a process of its own", ["database, MB", "first backup of a process, s", "MB/s", "process before it, MB", "its peak, MB"],
                    [.. sizes.Select(size => ImmutableArray.Create($"{size.Megabytes:0}", Seconds(size.Seconds), $"{size.Megabytes / size.Seconds:0}", $"{size.BeforeMegabytes:0}", $"{size.PeakMegabytes:0}"))]),
                new("What the continuous log costs (pgbench, 8 clients)", ["", "transactions/s", "of that without"],
                    [
                        ["without", Number(cost.Without), ""],
                        ["received and stored", Number(cost.With), Share(cost.With / cost.Without)],
                        ["commits wait for it", Number(cost.Synchronous), Share(cost.Synchronous / cost.Without)],
                    ]) { Note = "The receiver, its disk, the stores and the load are all on this machine; the median of the rounds." },
            ]);
    }

    private static string Times(double value) => string.Create(CultureInfo.InvariantCulture, $"{value:0.0} ×");

    private static string Seconds(double value) => string.Create(CultureInfo.InvariantCulture, $"{value:0.00}");

    private static string Number(double value) => string.Create(CultureInfo.InvariantCulture, $"{value:#,0}");

    private static string Share(double value) => string.Create(CultureInfo.InvariantCulture, $"{value:0 %}");
}
