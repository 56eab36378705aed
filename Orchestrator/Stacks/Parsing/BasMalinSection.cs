using System.Collections.Immutable;

namespace Orchestrator.Stacks.Parsing;

/// <summary><c>x-basmalin</c> of a service. It is ours, so every unknown key in it is an error.</summary>
internal static class BasMalinSection
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Day = TimeSpan.FromDays(1);

    public static BasMalinSpec? Read(Field field)
    {
        var defaults = new BasMalinSpec();
        if (field.IsNull) return defaults;
        if (field.Section("a mapping with route, gate, smoke, …") is not { } section) return null;

        var spec = new BasMalinSpec
        {
            Route = section.TakeEvenIfNull("route") is { } route ? RouteSection.Read(route) : null,
            Gate = section.Take("gate") is { } gate ? GateSection.Read(gate) : null,
            Probe = section.Take("probe") is { } probe ? Probe(probe) : defaults.Probe,
            Smoke = section.Take("smoke") is { } smoke ? SmokeSection.Read(smoke) : [],
            Migrate = section.Take("migrate") is { } migrate ? Migrate(migrate) : [],
            MigrateTimeout = section.Take("migrate_timeout")?.Duration(Second, Day) ?? defaults.MigrateTimeout,
            Shift = section.Take("shift") is { } shift ? ShiftSection.Read(shift) : null,
            Drain = section.Take("drain") is { } drain ? Drain(drain) : defaults.Drain,
            Bake = section.Take("bake") is { } bake ? Bake(bake) : defaults.Bake,
            Warm = section.Take("warm")?.Duration(atMost: TimeSpan.FromDays(7)) ?? defaults.Warm,
            Stateful = section.Take("stateful")?.Flag() ?? false,
            Backup = section.Take("backup") is { } backup ? BackupSection.Read(backup) : null,
            Recycle = section.Take("recycle") is { } recycle ? Recycle(recycle) : null,
        };
        section.Finish(strict: true);
        return spec;
    }

    private static ImmutableArray<string> Migrate(Field field)
    {
        if (field.Command() is not { } command) return [];
        if (command.Length == 0) field.Error("the command is empty", "leave 'migrate' out when there is nothing to migrate");
        return command;
    }

    private static ProbeSpec Probe(Field field)
    {
        var defaults = new ProbeSpec();
        if (field.Section("every and failures") is not { } section) return defaults;

        var spec = new ProbeSpec
        {
            Every = section.Take("every")?.Duration(atMost: TimeSpan.FromHours(1)) ?? defaults.Every,
            Failures = (int?)section.Take("failures")?.Whole(1, 100) ?? defaults.Failures,
        };
        section.Finish(strict: true);
        return spec;
    }

    private static DrainSpec Drain(Field field)
    {
        var defaults = new DrainSpec();
        if (field.Section("http and websocket") is not { } section) return defaults;

        var spec = new DrainSpec
        {
            Http = section.Take("http")?.Duration(atMost: Day) ?? defaults.Http,
            WebSocket = section.Take("websocket")?.Duration(atMost: Day) ?? defaults.WebSocket,
        };
        section.Finish(strict: true);
        return spec;
    }

    private static BakeSpec Bake(Field field)
    {
        var defaults = new BakeSpec();
        if (field.Section("for, max_error_ratio, max_p95_ratio, min_requests") is not { } section) return defaults;

        var spec = new BakeSpec
        {
            For = section.Take("for")?.Duration(atMost: Day) ?? defaults.For,
            MaxErrorRatio = (double?)section.Take("max_error_ratio")?.Ratio() ?? defaults.MaxErrorRatio,
            MaxP95Ratio = (double?)section.Take("max_p95_ratio")?.Number(0, 1000, "a factor above 0, e.g. 2.0"),
            MinRequests = (int?)section.Take("min_requests")?.Whole(1, int.MaxValue) ?? defaults.MinRequests,
        };
        section.Finish(strict: true);
        return spec;
    }

    private static RecycleSpec? Recycle(Field field)
    {
        if (field.Section("memory, at, or both") is not { } section) return null;

        var memory = section.Take("memory")?.Bytes();
        var at = section.Take("at") is { } schedule ? BackupSection.Cron(schedule) : null;
        var zone = section.Take("zone");
        if (!section.Has("memory") && !section.Has("at")) section.Error("expected 'memory', 'at', or both");
        if (zone is { } idle && !section.Has("at")) idle.Error("there is no schedule that it would be the zone of", "add 'at', or remove it");
        section.Finish(strict: true);
        var rule = new RecycleSpec(memory, at);
        return zone is { } named && BackupSection.ZoneOf(named) is { } place ? rule with { Zone = place } : rule;
    }
}
