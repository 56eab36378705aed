using Npgsql;
using Orchestrator.Tests.GardenApp;

namespace Orchestrator.Tests.Engine;

/// <summary>A stack of one PostgreSQL in place, which lets the daemon replicate, and how tests get at it.</summary>
internal static class KeptDatabase
{
    /// <param name="backup">What is said of it besides its kind.</param>
    public static string Compose(string stack, string backup) => $$"""
        name: {{stack}}
        services:
          postgres:
            image: {{Garden.Registry}}/postgres:15
            environment: { POSTGRES_USER: garden, POSTGRES_PASSWORD: garden, POSTGRES_DB: garden }
            volumes: [ "pgdata:/var/lib/postgresql/data" ]
            configs: [ { source: replication, target: /docker-entrypoint-initdb.d/replication.sh } ]
            stop_grace_period: 20s
            healthcheck: { test: ["CMD", "pg_isready", "-h", "127.0.0.1"], interval: 1s, timeout: 2s, retries: 20 }
            x-basmalin:
              backup: { kind: postgres, {{backup}} }
        configs:
          replication:
            content: echo 'host replication all all scram-sha-256' >> "$$PGDATA/pg_hba.conf"
        volumes:
          pgdata: {}
        """;

    /// <summary>The running container of it.</summary>
    public static async Task<string> ContainerAsync(string stack) =>
        (await TestDaemon.DockerAsync($"ps -q --filter label=basmalin.stack={stack} --filter label=basmalin.service=postgres --filter label=basmalin.kind=service")).Trim();

    /// <summary>Connections to it, once it answers.</summary>
    public static async Task<NpgsqlDataSource> OpenAsync(string stack)
    {
        var addresses = await TestDaemon.DockerAsync($"inspect -f \"{{{{range .NetworkSettings.Networks}}}}{{{{.IPAddress}}}} {{{{end}}}}\" {await ContainerAsync(stack)}");
        var source = NpgsqlDataSource.Create($"Host={addresses.Trim().Split(' ')[0]};Username=garden;Password=garden;Database=garden;Timeout=5");
        await Eventually.TrueAsync(
            async () =>
            {
                try
                {
                    return await AskAsync(source, "SELECT 1") == 1;
                }
                catch (NpgsqlException)
                {
                    return false;
                }
            },
            "the database answers");
        return source;
    }

    /// <summary>A number that it says.</summary>
    public static async Task<long> AskAsync(NpgsqlDataSource source, string sql)
    {
        await using var command = source.CreateCommand(sql);
        return Convert.ToInt64(await command.ExecuteScalarAsync(), System.Globalization.CultureInfo.InvariantCulture);
    }

    public static async Task ExecuteAsync(NpgsqlDataSource source, string sql)
    {
        await using var command = source.CreateCommand(sql);
        await command.ExecuteNonQueryAsync();
    }
}
