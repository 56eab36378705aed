using System.Collections.Immutable;
using Orchestrator.Stacks.Values;

namespace Orchestrator.Stacks.Parsing;

/// <summary><c>x-basmalin.backup</c>: how the data of a service is kept safe.</summary>
internal static class BackupSection
{
    /// <summary>Keys that go with one kind only → that kind, and why.</summary>
    private static readonly (string Key, string Kind, string Why)[] OfOneKind =
    [
        ("wal", "postgres", "only PostgreSQL has a write-ahead log to archive"),
        ("synchronous", "postgres", "only PostgreSQL can let its commits wait for a copy"),
        ("synchronous_patience", "postgres", "only PostgreSQL can let its commits wait for a copy"),
        ("dump", "postgres", "only PostgreSQL has a dump as a second format"),
        ("export", "postgres", "one person's rows are taken out of a dump of PostgreSQL"),
        ("anonymise", "postgres", "the copy is made of a dump of PostgreSQL"),
        ("stream", "redis", "it is Redis's stream of commands; for PostgreSQL say 'wal'"),
    ];

    public static BackupSpec? Read(Field field)
    {
        if (field.Section("kind, every, keep, …") is not { } section) return null;

        var defaults = new BackupSpec { Kind = "" };
        var kind = section.Take("kind")?.OneOf("a kind", "postgres", "redis", "volume");
        if (!section.Has("kind")) section.Error("'kind' is missing", "postgres, redis or volume");
        var (counts, within) = section.Take("keep") is { } keep ? Keep(keep) : (defaults.Keep, defaults.KeepWithin);
        var spec = defaults with
        {
            Kind = kind ?? "",
            Every = section.Take("every") is { } every ? Cron(every) : null,
            Zone = section.Take("zone") is { } zone ? ZoneOf(zone) ?? defaults.Zone : defaults.Zone,
            Wal = section.Take("wal")?.Flag() ?? false,
            Synchronous = section.Take("synchronous")?.Flag() ?? false,
            SynchronousPatience = section.Take("synchronous_patience")?.Duration(TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(10)) ?? defaults.SynchronousPatience,
            Stream = section.Take("stream")?.Flag() ?? false,
            Dump = section.Take("dump") is { } dump ? Cron(dump) : null,
            Export = section.Take("export") is { } export ? ExportSection.Read(export) : defaults.Export,
            Anonymise = section.Take("anonymise") is { } masks ? AnonymiseSection.Read(masks) : defaults.Anonymise,
            User = section.Take("user")?.NonEmpty("a login of the database"),
            PasswordSecret = section.Take("password_secret") is { } secret ? SecretName(secret) : null,
            Keep = counts,
            KeepWithin = within,
            Drill = section.Take("drill") is { } frequency ? Drill(frequency) : null,
            BeforeDeploy = section.Take("before_deploy")?.Flag() ?? false,
        };
        section.Finish(strict: true);
        if (kind is not null) CheckMeaning(section, spec);
        return kind is null ? null : spec;
    }

    private static void CheckMeaning(Section section, BackupSpec spec)
    {
        foreach (var (key, kind, why) in OfOneKind)
        {
            if (section.Take(key) is { } field && kind != spec.Kind && !IsOff(field)) field.Error($"'{key}' does not go with kind {spec.Kind}", why);
        }

        foreach (var key in new[] { "user", "password_secret" })
        {
            if (spec.Kind == "volume" && section.Take(key) is { } login) login.Error($"'{key}' does not go with kind volume", "files are read without a login");
        }

        if (spec is { Synchronous: true, Wal: false } && section.Take("synchronous") is { } waits)
            waits.Error("commits can wait for the daemon only where it receives the log", "add wal: true");
        if (!spec.Synchronous && section.Take("synchronous_patience") is { } patience)
            patience.Error("nothing waits without synchronous: true", "remove it, or add synchronous: true");
        if (spec.PasswordSecret is not null && spec.User is null && section.Take("password_secret") is { } orphan)
            orphan.Note("the password is used for the image's own user", "name another login with 'user'");
        if (spec is { Every: null, Dump: null } && section.Take("zone") is { } idle && !section.Has("drill"))
            idle.Error("there is no schedule that it would be the zone of", "add 'every', or remove it");
    }

    /// <summary>A key that is switched off says nothing that could be wrong with the kind.</summary>
    private static bool IsOff(Field field) => field.Node is Yaml.ScalarNode { Value: "false" or "no" or "off" or "n" };

    internal static string? ZoneOf(Field field)
    {
        const string expected = "a time zone by its IANA name, e.g. Europe/Ljubljana";
        if (field.NonEmpty(expected) is not { } text) return null;
        if (TimeZoneInfo.TryFindSystemTimeZoneById(text, out var zone) && zone.HasIanaId) return text;

        field.Expected(expected, Nearest.To(text, TimeZoneInfo.GetSystemTimeZones().Select(known => known.Id)) is { } near ? $"did you mean '{near}'?" : null);
        return null;
    }

    private static string? SecretName(Field field)
    {
        const string expected = "the name of a stored secret: letters, digits, '.', '-' and '_'";
        if (field.NonEmpty(expected) is not { } text) return null;
        if (text.Length <= 128 && text.All(letter => char.IsAsciiLetterOrDigit(letter) || letter is '.' or '-' or '_')) return text;

        field.Expected(expected, "set its value with: basmalin secret set STACK NAME");
        return null;
    }

    private static (ImmutableSortedDictionary<string, int> Counts, TimeSpan Within) Keep(Field field)
    {
        var keep = ImmutableSortedDictionary.CreateBuilder<string, int>(StringComparer.Ordinal);
        if (field.Section("how many of which, e.g. { daily: 30 }") is not { } section) return (keep.ToImmutable(), TimeSpan.Zero);

        foreach (var period in new[] { "daily", "weekly", "monthly", "yearly" })
        {
            if (section.Take(period)?.Whole(0, 10_000) is { } count) keep[period] = (int)count;
        }

        var within = section.Take("within")?.Duration(TimeSpan.FromHours(1), TimeSpan.FromDays(3650)) ?? TimeSpan.Zero;
        section.Finish(strict: true);
        return (keep.ToImmutable(), within);
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

    internal static string? Cron(Field field)
    {
        if (field.NonEmpty(CronFields.Expected) is not { } text) return null;
        if (CronFields.ProblemIn(text) is not { } problem) return text;

        field.Error($"expected {CronFields.Expected}: {problem}");
        return null;
    }
}
