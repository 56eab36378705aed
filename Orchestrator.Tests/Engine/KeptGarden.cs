using Orchestrator.Docker;

namespace Orchestrator.Tests.Engine;

/// <summary>The garden with all of its data backed up: rows, keys and files, and what can be done to them behind the application's back.</summary>
internal sealed class KeptGarden(TestDaemon daemon, string name)
{
    public string Name => name;

    public string Host => $"{name}.example";

    public string Compose(string tag = "1.0.0", string postgres = "before_deploy: true", string redis = "", string files = "") => $$"""
        name: {{name}}
        services:
          app:
            image: {{Garden.Image(tag)}}
            environment:
              DATABASE_URL: postgres://garden:garden@postgres:5432/garden
              REDIS_URL: redis://redis:6379
            volumes: [ "uploads:/data/uploads" ]
            depends_on:
              postgres: { condition: service_healthy }
              redis: { condition: service_started }
            stop_grace_period: 5s
            x-basmalin:
              route: { hosts: [{{Host}}], port: 3000 }
              gate: { http: /api/health, expect: 200, interval: 200ms, timeout: 2s, successes: 2, stable: 500ms, deadline: 40s }
              smoke: [ { get: /api/gardens, expect: 200, within: 5s } ]
              migrate: ["GardenApp", "migrate"]
              drain: { http: 2s, websocket: 1s }
              bake: { for: 0s }
              warm: 0s
              backup: { kind: volume{{Also(files)}} }
          postgres:
            image: {{Garden.Registry}}/postgres:15
            environment: { POSTGRES_USER: garden, POSTGRES_PASSWORD: garden, POSTGRES_DB: garden }
            volumes: [ "pgdata:/var/lib/postgresql/data" ]
            configs: [ { source: replication, target: /docker-entrypoint-initdb.d/replication.sh } ]
            stop_grace_period: 20s
            healthcheck: { test: ["CMD", "pg_isready", "-h", "127.0.0.1"], interval: 1s, timeout: 2s, retries: 20 }
            x-basmalin:
              backup: { kind: postgres{{Also(postgres)}} }
          redis:
            image: {{Garden.Registry}}/redis:7
            command: ["redis-server", "--appendonly", "yes"]
            volumes: [ "redis-data:/data" ]
            stop_grace_period: 5s
            x-basmalin:
              backup: { kind: redis{{Also(redis)}} }
        configs:
          replication:
            content: echo 'host replication all all scram-sha-256' >> "$$PGDATA/pg_hba.conf"
        volumes:
          pgdata: {}
          redis-data: {}
          uploads: {}
        """;

    /// <summary>Three rows, two keys and a file.</summary>
    public async Task SeedAsync()
    {
        await SqlAsync("CREATE TABLE notes (id int PRIMARY KEY, body text NOT NULL); INSERT INTO notes VALUES (1, 'first'), (2, 'second'), (3, 'third')");
        await RedisAsync("SET kept one");
        await RedisAsync("SET also two");
        await File.WriteAllTextAsync(Path.Combine(await UploadsAsync(), "kept.txt"), "a file");
    }

    /// <summary>What somebody does who is sorry afterwards.</summary>
    public async Task SpoilAsync()
    {
        await SqlAsync("DROP TABLE notes; CREATE TABLE later (id int); INSERT INTO later VALUES (1)");
        await RedisAsync("DEL kept");
        await RedisAsync("SET later yes");
        File.Delete(Path.Combine(await UploadsAsync(), "kept.txt"));
    }

    /// <summary>Everything is as it was seeded.</summary>
    public async Task IsAsSeededAsync()
    {
        Assert.That(await SqlAsync("SELECT string_agg(body, ',' ORDER BY id) FROM notes"), Is.EqualTo("first,second,third"));
        Assert.That(await SqlAsync("SELECT to_regclass('later') IS NULL"), Is.EqualTo("t"));
        Assert.That(await RedisAsync("GET kept"), Is.EqualTo("one"));
        Assert.That(await RedisAsync("EXISTS later"), Is.EqualTo("0"));
        Assert.That(await File.ReadAllTextAsync(Path.Combine(await UploadsAsync(), "kept.txt")), Is.EqualTo("a file"));
    }

    public Task<string> SqlAsync(string statement) => RunAsync("postgres", ["sh", "-c", $"PGPASSWORD=garden psql -h 127.0.0.1 -U garden -qAt -v ON_ERROR_STOP=1 garden <<'END'\n{statement}\nEND\n"]);

    public Task<string> RedisAsync(string command) => RunAsync("redis", ["redis-cli", .. command.Split(' ')]);

    public async Task<ObservedContainer> ContainerAsync(string service) =>
        (await daemon.ContainersAsync(name)).Single(seen => seen.Service == service && seen is { State: ContainerState.Running, IsOneShot: false });

    /// <summary>Where the application's files lie now.</summary>
    public async Task<string> UploadsAsync() => (await ContainerAsync("app")).Directories["/data/uploads"];

    private async Task<string> RunAsync(string service, string[] command)
    {
        var result = await daemon.Engine.ExecAsync((await ContainerAsync(service)).Id, [.. command], null, CancellationToken.None);
        Assert.That(result.ExitCode, Is.Zero, result.Output);
        return result.Output.Trim();
    }

    private static string Also(string settings) => settings.Length == 0 ? "" : $", {settings}";
}
