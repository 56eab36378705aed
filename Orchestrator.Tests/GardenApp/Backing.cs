using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Npgsql;

namespace Orchestrator.Tests.GardenApp;

/// <summary>One real PostgreSQL and one real Redis for all tests of GardenApp, on free ports; each test takes a database of its own.</summary>
[SetUpFixture]
public sealed class Backing
{
    private const string Password = "p@ss/w%rd";

    private static int s_databases;
    private static int s_postgresPort;
    private static string s_postgres = "";
    private static string s_redis = "";

    internal static string RedisAddress { get; private set; } = "";

    [OneTimeSetUp]
    public async Task StartAsync()
    {
        await DockerCli.RequireImageAsync("postgres:15");
        await DockerCli.RequireImageAsync("redis:7");
        s_postgres = await RunAsync("postgres:15", "5432", "-e", $"POSTGRES_PASSWORD={Password}", "-e", "POSTGRES_USER=garden", "--tmpfs", "/var/lib/postgresql/data");
        s_redis = await RunAsync("redis:7", "6379", "--tmpfs", "/data");
        s_postgresPort = await PortAsync(s_postgres, "5432");
        RedisAddress = $"127.0.0.1:{await PortAsync(s_redis, "6379")}";
        await HealthyAsync(s_postgres);
        await HealthyAsync(s_redis);
    }

    [OneTimeTearDown]
    public async Task StopAsync()
    {
        if (s_postgres.Length > 0) await DockerCli.RunAsync("rm", "-f", "-v", s_postgres);
        if (s_redis.Length > 0) await DockerCli.RunAsync("rm", "-f", "-v", s_redis);
    }

    /// <summary>The DATABASE_URL of a new, empty database.</summary>
    internal static async Task<string> NewDatabaseAsync()
    {
        var name = $"garden_{Interlocked.Increment(ref s_databases)}";
        await using var source = NpgsqlDataSource.Create(ConnectionString("postgres"));
        await using var command = source.CreateCommand($"CREATE DATABASE {name}");
        await command.ExecuteNonQueryAsync();
        return DatabaseUrl(name, s_postgresPort);
    }

    internal static string DatabaseUrl(string name, int port) => $"postgres://garden:{Uri.EscapeDataString(Password)}@127.0.0.1:{port}/{name}";

    internal static NpgsqlDataSource Open(string databaseUrl) => NpgsqlDataSource.Create(ConnectionString(new Uri(databaseUrl).AbsolutePath.Trim('/')));

    /// <summary>Starts a container of one of our images on a free port of loopback; returns its id.</summary>
    internal static Task<string> RunAsync(string image, string port, params string[] options) =>
        DockerCli.RunAsync(["run", "-d", "--label", "basmalin.test=garden-app", "-p", $"127.0.0.1::{port}", .. options, $"{DockerCli.Registry}/{image}"]);

    internal static async Task<int> PortAsync(string container, string port) =>
        int.Parse((await DockerCli.RunAsync("port", container, port)).Split('\n')[0].Split(':')[^1], CultureInfo.InvariantCulture);

    /// <summary>Waits until Docker's own health check says so.</summary>
    internal static Task HealthyAsync(string container) => Eventually.TrueAsync(
        async () => await DockerCli.RunAsync("inspect", "--format", "{{.State.Health.Status}}", container) == "healthy", $"{container} is healthy");

    internal static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    private static string ConnectionString(string database) =>
        new NpgsqlConnectionStringBuilder { Host = "127.0.0.1", Port = s_postgresPort, Username = "garden", Password = Password, Database = database, Pooling = false }.ConnectionString;
}
