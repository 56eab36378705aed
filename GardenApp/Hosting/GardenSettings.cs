using GardenApp.Faults;

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

    public FaultSettings Faults { get; init; } = new();

    /// <summary>Reads the settings, or says everything that is wrong with them, one line per problem.</summary>
    internal static GardenSettings Read(SettingsReader reader, IEnumerable<string> variables) => new()
    {
        Port = reader.Integer("PORT", 0, 65_535) ?? 3000,
        Version = reader.Text("GARDEN_VERSION", "0.0.0-dev"),
        ShutdownTimeout = TimeSpan.FromSeconds(reader.Number("SHUTDOWN_TIMEOUT_SECONDS", 0, 3600) ?? 30),
        Faults = FaultSettingsReader.Read(reader, variables),
    };
}
