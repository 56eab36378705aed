using System.Globalization;
using System.Net;
using Microsoft.Extensions.Hosting.Systemd;
using Orchestrator.Traffic;

namespace Orchestrator.Agent.Hosting;

/// <summary>
/// Tells systemd that the daemon lives (sd_watchdog_enabled(3)), each time that every listener of the edge has answered. An answer takes the whole way:
/// accept loop, event loop and a thread of the pool; this loop is one of the pool's tenants itself. Who hangs says nothing, and is started anew.
/// </summary>
internal sealed partial class Watchdog(TimeSpan interval, EdgeServer edge, ISystemdNotifier notifier, TimeProvider time, ILogger<Watchdog> logger) : BackgroundService
{
    private static readonly ServiceState Alive = new("WATCHDOG=1");

    /// <summary>How often systemd wants to hear from this process; null: never.</summary>
    public static TimeSpan? Interval(Func<string, string?> variable)
    {
        if (variable("WATCHDOG_PID") is { Length: > 0 } process && process != Environment.ProcessId.ToString(CultureInfo.InvariantCulture)) return null;
        return long.TryParse(variable("WATCHDOG_USEC"), NumberStyles.None, CultureInfo.InvariantCulture, out var microseconds) && microseconds > 0
            ? TimeSpan.FromMicroseconds(microseconds)
            : null;
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var ticks = new PeriodicTimer(interval / 3, time);
        do
        {
            if (await edge.FindSilentAsync(interval / 4) is { } silent) LogSilent(silent, interval / 4);
            else notifier.Notify(Alive);
        }
        while (await ticks.WaitForNextTickAsync(stoppingToken));
    }

    [LoggerMessage(EventId = 1200, Level = LogLevel.Error, Message = "The edge does not answer at {Address} within {Limit}; systemd is not told that the daemon lives")]
    private partial void LogSilent(IPEndPoint address, TimeSpan limit);
}
