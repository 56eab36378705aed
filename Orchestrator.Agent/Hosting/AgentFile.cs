using System.Collections.Immutable;
using Orchestrator.Agent.Hosting.Settings;
using Orchestrator.Notifications;

namespace Orchestrator.Agent.Hosting;

/// <summary>The daemon's settings, or every problem with them, one line each.</summary>
/// <param name="Options">Null when there is a problem.</param>
public sealed record AgentSettings(AgentOptions? Options, ImmutableArray<string> Problems);

/// <summary>Reads <c>agent.yml</c> and the environment into <see cref="AgentOptions"/>.</summary>
public static class AgentFile
{
    public const string DefaultPath = "/etc/basmalin/agent.yml";

    /// <param name="path">Null: the default file, which need not be there.</param>
    /// <param name="environment">Variables of the process.</param>
    public static AgentSettings Load(string? path, ImmutableSortedDictionary<string, string> environment)
    {
        var problems = new SettingProblems();
        var file = path ?? DefaultPath;
        var root = ReadFile(file, path is not null, problems);
        SettingEnvironment.LayOver(root, environment);
        var options = Bind(new SettingSection(root, "", problems));
        return problems.Any ? new AgentSettings(null, problems.Lines) : new AgentSettings(options with { File = File.Exists(file) ? Path.GetFullPath(file) : null }, []);
    }

    /// <summary>The variables that <see cref="Load"/> may look at.</summary>
    public static ImmutableSortedDictionary<string, string> ProcessEnvironment() =>
        Environment.GetEnvironmentVariables().Cast<System.Collections.DictionaryEntry>().ToImmutableSortedDictionary(
            entry => (string)entry.Key,
            entry => (string?)entry.Value ?? "",
            StringComparer.Ordinal);

    private static SettingMap ReadFile(string file, bool named, SettingProblems problems)
    {
        try
        {
            return SettingYaml.Read(file, File.ReadAllText(file), problems);
        }
        catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException)
        {
            if (named) problems.Add(file, "", "there is no such file");
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            problems.Add(file, "", $"cannot be read: {exception.Message}");
        }

        return new SettingMap(file);
    }

    private static AgentOptions Bind(SettingSection root)
    {
        var defaults = new AgentOptions();
        var options = new AgentOptions
        {
            Data = root.Value("data", defaults.Data, SettingValues.PathExpected, SettingValues.AbsolutePath),
            Stacks = root.Value<string?>("stacks", defaults.Stacks, SettingValues.PathExpected, SettingValues.AbsolutePath),
            Edge = EdgeSettings.Read(root.Section("edge"), defaults.Edge),
            Admin = Admin(root.Section("admin"), defaults.Admin),
            Docker = Docker(root.Section("docker"), defaults.Docker),
            Store = Store(root.Section("store"), defaults.Store),
            Log = Log(root.Section("log"), defaults.Log),
            Limits = Limits(root.Section("limits"), defaults.Limits),
            Retention = Retention(root.Section("retention"), defaults.Retention),
            Preflight = Preflight(root.Section("preflight"), defaults.Preflight),
            Backups = BackupSettings.Read(root.Section("backups"), defaults.Backups),
            Healing = HealingSettings.Read(root.Section("healing"), defaults.Healing),
            Freeze = [.. root.Sections("freeze").Select(Freeze)],
            Notify = [.. root.Sections("notify").Select(Notify).OfType<NotifyOptions>()],
        };
        root.Done();
        if (options.Stacks is { } stacks && !Directory.Exists(stacks)) root.Refuse("stacks", $"there is no directory {stacks}");
        return options;
    }

    private static AdminOptions Admin(SettingSection section, AdminOptions defaults)
    {
        var socket = section.Value("socket", defaults.Socket, SettingValues.PathExpected, SettingValues.AbsolutePath);
        var admin = new AdminOptions
        {
            Listen = section.Text("listen") == "none" ? null : section.Value<ListenAddress?>("listen", defaults.Listen, $"{ListenAddress.Expected}, or none", SettingValues.Listen),
            Socket = socket,
        };

        // The kernel's limit: sun_path has 108 bytes with the closing zero.
        if (System.Text.Encoding.UTF8.GetByteCount(socket) > 107) section.Refuse("socket", "the path of a unix socket has at most 107 bytes");
        section.Done();
        return admin;
    }

    private static DockerOptions Docker(SettingSection section, DockerOptions defaults)
    {
        var docker = new DockerOptions
        {
            Endpoint = section.Value("endpoint", defaults.Endpoint, "unix:///path/of/docker.sock or tcp://HOST:PORT", SettingValues.Endpoint),
        };
        section.Done();
        return docker;
    }

    private static StoreKind Store(SettingSection section, StoreKind defaults)
    {
        var postgres = section.Text("kind") == "postgres";
        if (postgres) section.Refuse("kind", "this version keeps its journal in SQLite only; write sqlite, or leave it out");
        var kind = postgres ? defaults : section.Value("kind", defaults, "sqlite", SettingValues.Word<StoreKind>);
        section.Done();
        return kind;
    }

    private static LogOptions Log(SettingSection section, LogOptions defaults)
    {
        var log = new LogOptions
        {
            Level = section.Value("level", defaults.Level, SettingValues.LevelExpected, SettingValues.Level),
            Format = section.Value("format", defaults.Format, "auto, text or json", SettingValues.Word<LogFormat>),
            File = section.Value<string?>("file", defaults.File, SettingValues.PathExpected, SettingValues.AbsolutePath),
            Levels = section.Map<LogLevel>("levels", SettingValues.LevelExpected, SettingValues.Level),
        };
        section.Done();
        return log;
    }

    private static LimitOptions Limits(SettingSection section, LimitOptions defaults)
    {
        var limits = new LimitOptions
        {
            HoldRequests = section.Value("hold_requests", defaults.HoldRequests, "a number from 0 to 100000", SettingValues.Number(0, 100_000)),
            HoldBytes = section.Value("hold_bytes", defaults.HoldBytes, "a size from 1MiB to 16GiB", SettingValues.Size(1 << 20, 16L << 30)),
            HoldFor = section.Value("hold_for", defaults.HoldFor, "a duration from 0s to 10m", SettingValues.Duration(TimeSpan.Zero, TimeSpan.FromMinutes(10))),
            WebhookBody = section.Value("webhook_body", defaults.WebhookBody, "a size from 1KiB to 32MiB", SettingValues.Size(1 << 10, 32 << 20)),
            FailedLogins = section.Value("failed_logins", defaults.FailedLogins, "a number from 1 to 10000", SettingValues.Number(1, 10_000)),
            Stop = section.Value("stop", defaults.Stop, "a duration from 1s to 10m", SettingValues.Duration(TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(10))),
        };
        section.Done();
        return limits;
    }

    private static RetentionOptions Retention(SettingSection section, RetentionOptions defaults)
    {
        var retention = new RetentionOptions
        {
            Releases = section.Value("releases", defaults.Releases, "a number from 1 to 100", SettingValues.Number(1, 100)),
            Deployments = section.Value("deployments", defaults.Deployments, "a number from 10 to 10000", SettingValues.Number(10, 10_000)),
        };
        section.Done();
        return retention;
    }

    private static PreflightOptions Preflight(SettingSection section, PreflightOptions defaults)
    {
        var preflight = new PreflightOptions
        {
            DiskFloor = section.Value("disk_floor", defaults.DiskFloor, "a share, a size, or both: 10%, 5GiB, 10% 5GiB", SettingValues.Floor),
            AllowedImages = section.List("allowed_images", defaults.AllowedImages, "the beginning of an image reference", SettingValues.AnyText),
        };
        section.Done();
        return preflight;
    }

    private static FreezeOptions Freeze(SettingSection section)
    {
        var freeze = new FreezeOptions
        {
            Days = section.List<DayOfWeek>("days", [], "a day such as fri or friday", SettingValues.Day),
            From = section.Value("from", TimeOnly.MinValue, "a time of day such as 16:00", SettingValues.TimeOfDay),
            To = section.Value("to", TimeOnly.MaxValue, "a time of day such as 08:00, or 24:00", SettingValues.EndOfDay),
            Zone = section.Value("zone", TimeZoneInfo.Utc, "a time zone such as Europe/Sarajevo", SettingValues.Zone),
        };
        if (freeze.From == freeze.To) section.Refuse("to", "the window is empty; leave from and to out for the whole day");
        section.Done();
        return freeze;
    }

    private static NotifyOptions? Notify(SettingSection section)
    {
        var url = section.Value<Uri?>("url", null, "an address that begins with https:// or http://", SettingValues.Web);
        var secret = section.Value<string?>("secret_file", null, SettingValues.PathExpected, SettingValues.AbsolutePath);
        var stacks = section.List<string>("stacks", [], "a stack's name", SettingValues.AnyText);
        var events = section.List<string>("events", [], $"one of {string.Join(", ", Notification.Events)}", Event);
        section.Done();
        if (section.Text("url") is null) section.Refuse("url", "is missing: where the notification goes");
        if (secret is not null && !File.Exists(secret)) section.Refuse("secret_file", $"there is no file {secret}");
        return url is null ? null : new NotifyOptions { Url = url, SecretFile = secret, Stacks = stacks, Events = events };
    }

    private static bool Event(string text, out string value)
    {
        value = text;
        return Notification.Events.Contains(text);
    }
}
