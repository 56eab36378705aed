using System.Collections.Immutable;
using GardenApp.Hosting;

namespace GardenApp.Faults;

/// <summary>Reads <c>GARDEN_FAULT_*</c>. A name that does not exist is a problem too: a fault that was misspelt would prove nothing.</summary>
internal static class FaultSettingsReader
{
    private const string Prefix = "GARDEN_FAULT_";

    private static readonly ImmutableArray<string> Known =
    [
        "SLOW_START_SECONDS", "NEVER_HEALTHY", "FAIL_AFTER_SECONDS", "EXIT_AT_START", "ERROR_RATIO", "BROKEN_PATH", "LATENCY_MS",
        "LEAK_MB_PER_SECOND", "IGNORE_SIGTERM",
    ];

    internal static FaultSettings Read(SettingsReader reader, IEnumerable<string> variables)
    {
        var given = variables.Where(name => name.StartsWith(Prefix, StringComparison.Ordinal)).Order(StringComparer.Ordinal).ToImmutableArray();
        foreach (var name in given.Where(name => !Known.Contains(name[Prefix.Length..])))
            reader.Report($"{name} is no fault; there are {string.Join(", ", Known.Select(known => Prefix + known))}");

        var brokenPath = reader.Text(Prefix + "BROKEN_PATH");
        if (brokenPath is not null && !brokenPath.StartsWith('/')) reader.Report($"{Prefix}BROKEN_PATH must start with '/', not '{brokenPath}'");

        return new FaultSettings
        {
            SlowStart = TimeSpan.FromSeconds(reader.Number(Prefix + "SLOW_START_SECONDS", 0, 600) ?? 0),
            NeverHealthy = reader.Flag(Prefix + "NEVER_HEALTHY"),
            FailAfter = reader.Number(Prefix + "FAIL_AFTER_SECONDS", 0, 86_400) is { } seconds ? TimeSpan.FromSeconds(seconds) : null,
            ExitAtStart = reader.Integer(Prefix + "EXIT_AT_START", 0, 255),
            ErrorRatio = reader.Number(Prefix + "ERROR_RATIO", 0, 1) ?? 0,
            BrokenPath = brokenPath,
            Latency = TimeSpan.FromMilliseconds(reader.Number(Prefix + "LATENCY_MS", 0, 60_000) ?? 0),
            LeakMegabytesPerSecond = reader.Integer(Prefix + "LEAK_MB_PER_SECOND", 0, 1024) ?? 0,
            IgnoreSigterm = reader.Flag(Prefix + "IGNORE_SIGTERM"),
            Active = [.. given.Where(name => reader.Text(name) is not null).Select(name => $"{name}={reader.Text(name)}")],
        };
    }
}
