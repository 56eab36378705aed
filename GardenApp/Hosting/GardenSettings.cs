using System.Collections;
using GardenApp.Database;
using GardenApp.Faults;
using GardenApp.Insights;
using GardenApp.Redis;
using Serilog.Events;
using StackExchange.Redis;

namespace GardenApp.Hosting;

/// <summary>All that can be set, read once at start from environment variables (listed in README.md).</summary>
public sealed record GardenSettings
{
    /// <summary>TCP port to listen on, on all addresses; 0 takes a free one.</summary>
    public int Port { get; init; } = 3000;

    /// <summary>What this build calls itself, in every answer's <c>X-Garden-Version</c>.</summary>
    public string Version { get; init; } = "0.0.0-dev";

    /// <summary>How long requests in flight may take to end after SIGTERM.</summary>
    public TimeSpan ShutdownTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How long <c>migrate</c> waits for a database that is starting.</summary>
    public TimeSpan MigrateWait { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Where uploads are kept.</summary>
    public string UploadsFolder { get; init; } = "uploads";

    /// <summary>Bytes of one upload.</summary>
    public long LargestUpload { get; init; } = 10 * 1024 * 1024;

    public LogEventLevel LogLevel { get; init; } = LogEventLevel.Information;

    /// <summary>Compact JSON lines instead of text for people.</summary>
    public bool LogJson { get; init; }

    public InsightSettings Insights { get; init; } = new();

    public FaultSettings Faults { get; init; } = new();

    // Both hold passwords, so they are internal: no log that destructures settings sees them.
    internal string? DatabaseConnection { get; init; }

    internal ConfigurationOptions? Redis { get; init; }

    /// <summary>Reads this process's environment; null, with one line per problem, when something is wrong.</summary>
    internal static GardenSettings? FromEnvironment(TextWriter problems)
    {
        var reader = new SettingsReader(Environment.GetEnvironmentVariable);
        var settings = Read(reader, Environment.GetEnvironmentVariables().Cast<DictionaryEntry>().Select(entry => (string)entry.Key));
        foreach (var problem in reader.Problems) problems.WriteLine($"GardenApp: {problem}");
        return reader.Problems.Count > 0 ? null : settings;
    }

    internal static GardenSettings Read(SettingsReader reader, IEnumerable<string> variables) => new()
    {
        Port = reader.Integer("PORT", 0, 65_535) ?? 3000,
        Version = reader.Text("GARDEN_VERSION", "0.0.0-dev"),
        ShutdownTimeout = TimeSpan.FromSeconds(reader.Number("SHUTDOWN_TIMEOUT_SECONDS", 0, 3600) ?? 30),
        MigrateWait = TimeSpan.FromSeconds(reader.Number("MIGRATE_WAIT_SECONDS", 0, 3600) ?? 30),
        UploadsFolder = reader.Text("UPLOADS_DIR", "uploads"),
        LargestUpload = reader.Integer("UPLOAD_MAX_BYTES", 1, int.MaxValue) ?? 10 * 1024 * 1024,
        LogLevel = ReadLevel(reader),
        LogJson = reader.Flag("LOG_JSON"),
        DatabaseConnection = Parsed(reader, "DATABASE_URL", "postgres://user:password@host:5432/database", DatabaseUrl.ToConnectionString),
        Redis = Parsed(reader, "REDIS_URL", "redis://:password@host:6379/0", RedisUrl.ToOptions),
        Insights = InsightSettings.Read(reader),
        Faults = FaultSettingsReader.Read(reader, variables),
    };

    private static LogEventLevel ReadLevel(SettingsReader reader)
    {
        var text = reader.Text("LOG_LEVEL", nameof(LogEventLevel.Information));
        if (Enum.TryParse<LogEventLevel>(text, ignoreCase: true, out var level) && Enum.IsDefined(level)) return level;
        reader.Report($"LOG_LEVEL must be one of {string.Join(", ", Enum.GetNames<LogEventLevel>())}, not '{text}'");
        return LogEventLevel.Information;
    }

    private static T? Parsed<T>(SettingsReader reader, string name, string example, Func<string, T?> parse) where T : class
    {
        if (reader.Secret(name) is not { } text) return null;
        var value = parse(text);
        if (value is null) reader.Report($"{name} must look like {example} (percent-encode what is special in the password)");
        return value;
    }
}
