using System.Collections.Concurrent;
using System.Globalization;
using Microsoft.Extensions.Logging;
using Orchestrator.Backups.Keeping;
using Orchestrator.Backups.Sets;
using Orchestrator.Backups.Stores;
using Orchestrator.Deployments;
using Orchestrator.Telemetry;

namespace Orchestrator.Scheduling;

/// <summary>Sees how full the disks of backups are: of the stores that are directories, and of what waits here for the stores. Tells when one will be full within a day.</summary>
public sealed partial class DiskWatch(BackupVault vault, StreamOptions streams, BackupAlerts alerts, TimeProvider time, ILogger<DiskWatch> logger)
{
    /// <summary>The daemon's own disk, where what is received continuously waits for the stores.</summary>
    private const string Host = "host";

    private static readonly TimeSpan Soon = TimeSpan.FromHours(24);
    private static readonly TimeSpan AtOnce = TimeSpan.FromHours(1);
    private static readonly TimeSpan Lasting = TimeSpan.FromMinutes(70);

    private readonly ConcurrentDictionary<string, DiskForecast> _forecasts = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, Filling> _filling = new(StringComparer.Ordinal);

    public void Look()
    {
        foreach (var store in vault.Options.Stores.OfType<DirectoryStore>()) Look(store.Name, store.Root);
        Look(Host, streams.Wal.Directory);
    }

    private void Look(string place, string directory)
    {
        try
        {
            // A directory that is not there yet lies on the disk of the one above it.
            while (!Directory.Exists(directory) && Path.GetDirectoryName(directory) is { } parent) directory = parent;
            if (HostResources.DiskOf(directory) is not ({ } free, _)) return;

            var forecast = _forecasts.GetOrAdd(place, _ => new(time));
            forecast.Note(free);
            var until = forecast.UntilFull();
            BackupMetrics.Disk(place, free, until?.TotalSeconds);
            Tell(place, directory, free, until);
        }
        catch (Exception unknown) when (unknown is IOException or UnauthorizedAccessException or ArgumentException)
        {
            LogUnknown(place, directory, unknown.Message);
        }
    }

    private void Tell(string place, string directory, long free, TimeSpan? until)
    {
        if (until is not { } left || left > Soon)
        {
            _filling.TryRemove(place, out _);
            return;
        }

        // One large set looks for an hour as if it went on like that.
        var since = _filling.GetOrAdd(place, _ => new(time.GetTimestamp()));
        if (since.Told || (left > AtOnce && time.GetElapsedTime(since.At) < Lasting)) return;

        _filling[place] = since with { Told = true };
        alerts.Raise(
            "disk.filling", "", place,
            string.Create(CultureInfo.InvariantCulture, $"At the present rate {directory} is full in {left.TotalHours:0.0} hours; {free >> 20} MiB are free"),
            place == Host
                ? "See why the stores take nothing: basmalin doctor. What they take makes room here."
                : "Give it more room, or keep less: 'basmalin backup prune STACK --dry-run' says what is kept, and why.");
    }

    [LoggerMessage(EventId = 5615, Level = LogLevel.Warning, Message = "How much room {Place} has in {Directory} cannot be found out: {Problem}")]
    private partial void LogUnknown(string place, string directory, string problem);

    /// <param name="At">Since when.</param>
    private sealed record Filling(long At, bool Told = false);
}
