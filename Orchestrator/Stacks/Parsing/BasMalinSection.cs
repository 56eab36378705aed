using System.Collections.Immutable;
using Orchestrator.Stacks.Values;

namespace Orchestrator.Stacks.Parsing;

/// <summary><c>x-basmalin</c> of a service. It is ours, so every unknown key in it is an error.</summary>
internal static class BasMalinSection
{
    private const string LaterHint = "everything else of the service is carried out";

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
            Backup = section.Take("backup") is { } backup ? Backup(backup) : null,
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

    private static BackupSpec? Backup(Field field)
    {
        if (field.Section("kind, every, keep, …") is not { } section) return null;

        var kind = section.Take("kind")?.OneOf("a kind", "postgres", "redis", "volume");
        if (!section.Has("kind")) section.Error("'kind' is missing", "postgres, redis or volume");

        var every = section.Take("every") is { } schedule ? Cron(schedule) : null;
        var wal = section.Take("wal")?.Flag() ?? false;
        var keep = section.Take("keep") is { } counts ? Keep(counts) : ImmutableSortedDictionary<string, int>.Empty;
        var drill = section.Take("drill") is { } frequency ? Drill(frequency) : null;
        var before = section.Take("before_deploy")?.Flag() ?? false;
        if (wal && kind is not (null or "postgres")) section.Error($"'wal' does not go with kind {kind}", "only PostgreSQL has a write-ahead log to archive");
        section.Finish(strict: true);

        foreach (var key in new[] { "every", "wal", "keep", "drill" })
        {
            if (section.Take(key) is { } later) later.Note($"{key} is checked but not carried out yet in this version", "before_deploy is");
        }

        return kind is null ? null : new BackupSpec { Kind = kind, Every = every, Wal = wal, Keep = keep, Drill = drill, BeforeDeploy = before };
    }

    private static ImmutableSortedDictionary<string, int> Keep(Field field)
    {
        var keep = ImmutableSortedDictionary.CreateBuilder<string, int>(StringComparer.Ordinal);
        if (field.Section("how many of which, e.g. { daily: 30 }") is not { } section) return keep.ToImmutable();

        foreach (var period in new[] { "daily", "weekly", "monthly", "yearly" })
        {
            if (section.Take(period)?.Whole(0, 10_000) is { } count) keep[period] = (int)count;
        }

        section.Finish(strict: true);
        return keep.ToImmutable();
    }

    private static string? Drill(Field field)
    {
        const string expected = "daily, weekly, monthly, or five cron fields";
        if (field.NonEmpty(expected) is not { } text) return null;
        if (text is "daily" or "weekly" or "monthly") return text;
        if (text.Contains(' ', StringComparison.Ordinal)) return Cron(field);

        field.Expected(expected, Nearest.To(text, ["daily", "weekly", "monthly"]) is { } near ? $"did you mean '{near}'?" : null);
        return null;
    }

    private static RecycleSpec? Recycle(Field field)
    {
        if (field.Section("memory or at") is not { } section) return null;

        var memory = section.Take("memory")?.Bytes();
        var at = section.Take("at") is { } schedule ? Cron(schedule) : null;
        if (!section.Has("memory") && !section.Has("at")) section.Error("expected 'memory', 'at', or both");
        section.Finish(strict: true);
        field.Note("recycle is checked but not carried out yet in this version", LaterHint);
        return new RecycleSpec(memory, at);
    }

    private static string? Cron(Field field)
    {
        if (field.NonEmpty(CronFields.Expected) is not { } text) return null;
        if (CronFields.ProblemIn(text) is not { } problem) return text;

        field.Error($"expected {CronFields.Expected}: {problem}");
        return null;
    }
}
