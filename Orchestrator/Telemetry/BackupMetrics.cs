using Prometheus;

namespace Orchestrator.Telemetry;

/// <summary>Backups, as Prometheus sees them.</summary>
public static class BackupMetrics
{
    private static readonly Gauge LastSuccess = Metrics.CreateGauge("basmalin_backup_last_success_timestamp_seconds", "When the newest set was made.", "stack");

    private static readonly Gauge LastProved = Metrics.CreateGauge("basmalin_backup_last_proved_timestamp_seconds", "When a set was last restored by a drill and found to be what it was.", "stack");

    private static readonly Gauge LastDump = Metrics.CreateGauge("basmalin_backup_last_dump_timestamp_seconds", "When the newest logical dump was made.", "stack");

    private static readonly Gauge Duration = Metrics.CreateGauge("basmalin_backup_duration_seconds", "How long the newest set took.", "stack");

    private static readonly Gauge Size = Metrics.CreateGauge("basmalin_backup_size_bytes", "Bytes of the newest set in one store.", "stack");

    private static readonly Counter Sets = Metrics.CreateCounter("basmalin_backups_total", "Sets that were begun and have ended, by outcome.", "stack", "outcome");

    private static readonly Counter Drills = Metrics.CreateCounter("basmalin_backup_drills_total", "Drills that have ended, by outcome.", "stack", "outcome");

    private static readonly Gauge Recovery = Metrics.CreateGauge("basmalin_backup_rto_seconds", "Measured by the last drill: from nothing to an application that answers on the restored data.", "stack");

    private static readonly Gauge Forecast = Metrics.CreateGauge("basmalin_backup_rto_forecast_seconds", "What a recovery would take now: the last drill's time, scaled to what there is to fetch and replay.", "stack");

    private static readonly Gauge PointAge = Metrics.CreateGauge("basmalin_backup_rpo_seconds", "Age of the newest moment that can be restored, where it lies.", "stack", "service", "place");

    private static readonly Gauge PointBytes = Metrics.CreateGauge("basmalin_backup_rpo_bytes", "What the service has written that is not there yet.", "stack", "service", "place");

    private static readonly Gauge SlotBytes = Metrics.CreateGauge("basmalin_backup_slot_bytes", "What the server keeps of its log because we have not got it yet.", "stack", "service");

    private static readonly Gauge SlotFull = Metrics.CreateGauge("basmalin_backup_slot_full_seconds", "Until what the server may keep is used up, at the present rate; -1: it is not being used up.", "stack", "service");

    private static readonly Gauge DiskFree = Metrics.CreateGauge("basmalin_backup_disk_free_bytes", "Room that is left where backups lie: a store that is a directory, or host, where what is received waits for the stores.", "place");

    private static readonly Gauge DiskFull = Metrics.CreateGauge("basmalin_backup_disk_full_seconds", "Until that room is used up, at the present rate; -1: it is not being used up.", "place");

    private static readonly Gauge Jumps = Metrics.CreateGauge("basmalin_backup_content_jumps", "Tables, databases, volumes and sizes of the newest set that have lost more than half of what the set before had.", "stack");

    private static readonly Gauge Missing = Metrics.CreateGauge("basmalin_backup_missing_outcomes", "Due runs of which nothing is known although their time is over.", "stack");

    private static readonly Gauge KeyProved = Metrics.CreateGauge("basmalin_backup_key_checked_timestamp_seconds", "When something of the newest set was last decrypted with the host's own key.", "stack");

    private static readonly Gauge KeyWorks = Metrics.CreateGauge("basmalin_backup_key_works", "1: the newest set could be decrypted with the host's own key when that was last tried; 0: it could not.", "stack");

    private static readonly Counter Alerts = Metrics.CreateCounter("basmalin_backup_alerts_total", "Alerts about backups, by what they were about.", "stack", "event");

    public static void Made(string stack, DateTimeOffset at, TimeSpan took, long bytes)
    {
        Sets.WithLabels(stack, "succeeded").Inc();
        Stands(stack, at, took, bytes);
    }

    public static void Dumped(string stack, DateTimeOffset at)
    {
        Sets.WithLabels(stack, "succeeded").Inc();
        LastDump.WithLabels(stack).Set(Seconds(at));
    }

    /// <summary>The same after a start of the daemon, from the journal.</summary>
    public static void Stands(string stack, DateTimeOffset at, TimeSpan took, long bytes)
    {
        LastSuccess.WithLabels(stack).Set(Seconds(at));
        Duration.WithLabels(stack).Set(took.TotalSeconds);
        Size.WithLabels(stack).Set(bytes);
    }

    public static void Failed(string stack) => Sets.WithLabels(stack, "failed").Inc();

    public static void Drilled(string stack, bool passed) => Drills.WithLabels(stack, passed ? "passed" : "failed").Inc();

    public static void Proved(string stack, DateTimeOffset at, double seconds)
    {
        LastProved.WithLabels(stack).Set(Seconds(at));
        Recovery.WithLabels(stack).Set(seconds);
    }

    public static void Forecasts(string stack, double seconds) => Forecast.WithLabels(stack).Set(seconds);

    /// <param name="place"><c>local</c> or the name of a store.</param>
    public static void Point(string stack, string service, string place, double seconds, double? bytes)
    {
        PointAge.WithLabels(stack, service, place).Set(seconds);
        if (bytes is { } behind) PointBytes.WithLabels(stack, service, place).Set(behind);
    }

    public static void Slot(string stack, string service, long bytes, double? untilFull)
    {
        SlotBytes.WithLabels(stack, service).Set(bytes);
        SlotFull.WithLabels(stack, service).Set(untilFull ?? -1);
    }

    public static void Disk(string place, long free, double? untilFull)
    {
        DiskFree.WithLabels(place).Set(free);
        DiskFull.WithLabels(place).Set(untilFull ?? -1);
    }

    public static void Jumped(string stack, int count) => Jumps.WithLabels(stack).Set(count);

    public static void KeyChecked(string stack, bool works, DateTimeOffset at)
    {
        KeyWorks.WithLabels(stack).Set(works ? 1 : 0);
        if (works) KeyProved.WithLabels(stack).Set(Seconds(at));
    }

    public static void MissingOutcomes(string stack, int count) => Missing.WithLabels(stack).Set(count);

    public static void Alerted(string stack, string what) => Alerts.WithLabels(stack, what).Inc();

    private static double Seconds(DateTimeOffset at) => at.ToUnixTimeMilliseconds() / 1000.0;
}
