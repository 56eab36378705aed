using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Orchestrator.Agent.Hosting;
using Orchestrator.Journal.Sqlite;

namespace Orchestrator.Tests.Faults;

/// <summary>The real daemon in a process of its own, with a journal at whose rows it can be made to die.</summary>
internal static class MortalDaemon
{
    public const string Verb = "mortal-daemon";

    /// <summary>Further settings, in the daemon's directory; it need not be there.</summary>
    public const string Settings = "agent.yml";

    public static async Task<int> RunAsync(string directory)
    {
        var place = JsonSerializer.Deserialize<Place>(await File.ReadAllTextAsync(Path.Combine(directory, "place.json"))) ?? throw new InvalidOperationException("place.json");
        var settings = Path.Combine(directory, Settings);
        var read = File.Exists(settings) ? AgentFile.Load(settings, System.Collections.Immutable.ImmutableSortedDictionary<string, string>.Empty) : new(new(), []);
        var options = (read.Options ?? throw new InvalidOperationException(string.Join('\n', read.Problems))) with
        {
            Data = Path.Combine(directory, "data"),
            Edge = new EdgeOptions { Http = [new ListenAddress("127.0.0.1", place.EdgePort)] },
            Admin = new AdminOptions { Listen = null, Socket = Path.Combine(directory, "admin.sock") },
            Preflight = new PreflightOptions { DiskFloor = new DiskFloor(0, 1 << 20) },
            Log = new LogOptions { Level = LogLevel.Information, Format = LogFormat.Text },
        };
        try
        {
            await using var daemon = await Daemon.StartAsync(options, terminal: false, TimeProvider.System, services => Mortal(services, directory), CancellationToken.None);
            return await daemon.WaitAsync(CancellationToken.None);
        }
        catch (DaemonStartException refused)
        {
            await Console.Error.WriteLineAsync($"error: {refused.Message}");
            return 1;
        }
    }

    private static void Mortal(IServiceCollection services, string directory) => services.AddSingleton(provider => MortalJournal.Around(
        new SqliteJournal(provider.GetRequiredService<SqliteDatabase>(), provider.GetRequiredService<TimeProvider>()), directory));

    /// <param name="EdgePort">Where users arrive, before and after the restart.</param>
    internal sealed record Place(int EdgePort);
}
