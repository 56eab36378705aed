using System.Diagnostics;
using GardenApp.Faults;
using GardenApp.Hosting;

namespace GardenApp.Health;

/// <summary>Asks every dependency at once and makes one report of it.</summary>
internal sealed class HealthChecks
{
    private readonly GardenSettings _settings;
    private readonly FaultClock _faults;
    private readonly TimeProvider _time;
    private readonly long _started;

    public HealthChecks(GardenSettings settings, FaultClock faults, TimeProvider time)
    {
        _settings = settings;
        _faults = faults;
        _time = time;
        // The timestamp of the process, not of this object: the first probe would otherwise always see an uptime of zero.
        _started = time.GetTimestamp() - (long)((time.GetUtcNow() - Process.GetCurrentProcess().StartTime.ToUniversalTime()).TotalSeconds * time.TimestampFrequency);
    }

    internal double Uptime => Math.Round(_time.GetElapsedTime(_started).TotalSeconds, 3);

    internal Task<HealthReport> RunAsync(CancellationToken cancellationToken)
    {
        var checks = new List<HealthCheckResult>();
        if (FaultCheck.Run(_settings.Faults, _faults) is { } fault) checks.Add(fault);
        return Task.FromResult(new HealthReport(Worst(checks), _time.GetUtcNow(), [.. checks], Uptime, _settings.Version));
    }

    internal static string Worst(IReadOnlyCollection<HealthCheckResult> checks) =>
        checks.Any(check => check.Status == HealthCheckResult.UnhealthyStatus) ? HealthCheckResult.UnhealthyStatus
        : checks.Any(check => check.Status == HealthCheckResult.DegradedStatus) ? HealthCheckResult.DegradedStatus
        : HealthCheckResult.HealthyStatus;
}
