using System.Diagnostics;
using GardenApp.Faults;
using GardenApp.Hosting;

namespace GardenApp.Health;

/// <summary>Asks every dependency at once and makes one report of it.</summary>
internal sealed class HealthChecks
{
    /// <summary>Shorter than any sensible probe's own patience, so that the probe sees which check hung.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    private readonly GardenSettings _settings;
    private readonly FaultClock _faults;
    private readonly TimeProvider _time;
    private readonly Dependencies _dependencies;
    private readonly long _started;

    public HealthChecks(GardenSettings settings, FaultClock faults, Dependencies dependencies, TimeProvider time)
    {
        _settings = settings;
        _faults = faults;
        _dependencies = dependencies;
        _time = time;
        using var process = Process.GetCurrentProcess();
        // Counted from the start of the process, not of this object, which is made at the first probe.
        var age = time.GetUtcNow() - process.StartTime.ToUniversalTime();
        _started = time.GetTimestamp() - (long)(age.TotalSeconds * time.TimestampFrequency);
    }

    /// <summary>Seconds, to the millisecond.</summary>
    internal double Uptime => Math.Round(_time.GetElapsedTime(_started).TotalSeconds, 3);

    internal async Task<HealthReport> RunAsync(CancellationToken cancellationToken)
    {
        List<HealthCheckResult> checks =
        [
            .. await Task.WhenAll(
                WithinPatienceAsync("database", _dependencies.Database.RunAsync, HealthCheckResult.Unhealthy, cancellationToken),
                WithinPatienceAsync("redis", _dependencies.Redis.RunAsync, HealthCheckResult.Degraded, cancellationToken)),
            _dependencies.ExternalApis.Run(),
            _dependencies.Machine.Disk(),
            MachineChecks.Memory(),
        ];
        if (FaultCheck.Run(_settings.Faults, _faults) is { } fault) checks.Add(fault);
        return new HealthReport(Worst(checks), _time.GetUtcNow(), [.. checks], Uptime, _settings.Version);
    }

    internal static string Worst(IReadOnlyCollection<HealthCheckResult> checks) =>
        checks.Any(check => check.Status == HealthCheckResult.UnhealthyStatus) ? HealthCheckResult.UnhealthyStatus
        : checks.Any(check => check.Status == HealthCheckResult.DegradedStatus) ? HealthCheckResult.DegradedStatus
        : HealthCheckResult.HealthyStatus;

    private async Task<HealthCheckResult> WithinPatienceAsync(string name, Func<CancellationToken, Task<HealthCheckResult>> check,
        Func<string, string, HealthCheckResult> judge, CancellationToken cancellationToken)
    {
        using var patience = new CancellationTokenSource(Patience, _time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, cancellationToken);
        try
        {
            return await check(either.Token);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return judge(name, $"no answer within {Patience.TotalSeconds:0} s");
        }
    }
}
