using System.Globalization;
using System.Net;
using Orchestrator.Agent.Api;
using Orchestrator.Agent.Hosting.Settings;
using Orchestrator.Traffic.Requests;

namespace Orchestrator.Agent.Hosting;

/// <summary>What <c>edge</c> says of requests: whom it believes, and what one client may ask of it.</summary>
internal static class EdgeRequestSettings
{
    public static EdgeOptions Read(SettingSection section, EdgeOptions edge)
    {
        var trusted = section.List<IPNetwork>("trusted_proxies", [], ClientNetwork.Expected, ClientNetwork.TryParse);
        var limits = section.Section("limits");
        var idle = limits.Value("idle", edge.Idle, "a duration from 1s to 24h", SettingValues.Duration(TimeSpan.FromSeconds(1), TimeSpan.FromDays(1)));
        return edge with { TrustedProxies = trusted, Idle = idle, Limits = Limits(limits, edge.Limits), AccessLog = AccessLog(section.Section("access_log")) };
    }

    private static AccessLogOptions AccessLog(SettingSection section)
    {
        var log = new AccessLogOptions
        {
            File = section.Value<string?>("file", null, "an absolute path, stdout or off", LogFile),
            Sample = section.Value("sample", 1.0, "a share from 0.0 to 1.0", Share),
        };
        if (log.File is ['/', ..] && !Directory.Exists(Path.GetDirectoryName(log.File))) section.Refuse("file", $"there is no directory {Path.GetDirectoryName(log.File)}");
        section.Done();
        return log;
    }

    private static bool LogFile(string text, out string? file)
    {
        file = text == AccessLogOptions.Stdout ? text : null;
        return file is not null || text == "off" || SettingValues.AbsolutePath(text, out file);
    }

    private static bool Share(string text, out double share) =>
        double.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out share) && share is >= 0 and <= 1;

    private static EdgeLimits Limits(SettingSection section, EdgeLimits defaults)
    {
        var hour = TimeSpan.FromHours(1);
        var body = section.Value("body", 0L, "a size; 0: none", SettingValues.Size(0, long.MaxValue));
        var connections = section.Value("connections", 0, "a number from 1 to 1000000; 0: none", SettingValues.Number(0, 1_000_000));
        var sockets = section.Value("websockets_per_client", defaults.WebSocketsPerClient ?? 0, "a number from 1 to 1000000; 0: any", SettingValues.Number(0, 1_000_000));
        var limits = new EdgeLimits
        {
            Body = body == 0 ? null : body,
            Headers = (int)section.Value("headers", defaults.Headers, "a size from 1KiB to 1MiB", SettingValues.Size(1 << 10, 1 << 20)),
            HeaderCount = section.Value("header_count", defaults.HeaderCount, "a number from 10 to 1000", SettingValues.Number(10, 1000)),
            Connections = connections == 0 ? null : connections,
            WebSocketsPerClient = sockets == 0 ? null : sockets,
            HeaderTimeout = section.Value("header_timeout", defaults.HeaderTimeout, "a duration from 1s to 1h", SettingValues.Duration(TimeSpan.FromSeconds(1), hour)),
            MinDataRate = section.Value("min_data_rate", (long)defaults.MinDataRate, "bytes per second, from 1 to 1MiB", SettingValues.Size(1, 1 << 20)),
            KeepAlive = section.Value("keep_alive", defaults.KeepAlive, "a duration from 1s to 1h", SettingValues.Duration(TimeSpan.FromSeconds(1), hour)),
        };
        section.Done();
        return limits;
    }
}
