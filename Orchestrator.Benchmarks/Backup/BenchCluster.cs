using System.Collections.Immutable;
using System.Globalization;
using Microsoft.Extensions.Logging.Abstractions;
using Orchestrator.Backups;
using Orchestrator.Backups.Postgres;
using Orchestrator.Benchmarks.Measuring;
using Orchestrator.Docker;
using Orchestrator.Resilience;
using Orchestrator.Stacks;
using Prometheus;

namespace Orchestrator.Benchmarks.Backup;

/// <summary>PostgreSQL servers, and a Redis, in containers on a network of their own.</summary>
internal sealed class BenchCluster : IAsyncDisposable
{
    public const string Image = "localhost:5000/basmalin/postgres:15";
    public const string RedisImage = "localhost:5000/basmalin/redis:7";
    public const string Data = "/var/lib/postgresql/data";

    private const string Password = "bench";

    private readonly string _stack = $"bench{Guid.NewGuid():N}"[..12];
    private readonly List<string> _containers = [];

    private BenchCluster(string directory)
    {
        Directory = directory;
        Engine = OpenEngine();
    }

    /// <summary>Of the host; mounted at the same path.</summary>
    public string Directory { get; }

    public DockerEngine Engine { get; }

    public string Stack => _stack;

    public static DockerEngine OpenEngine() => new(
        new DockerEngineOptions { Endpoint = new Uri("unix:///var/run/docker.sock") },
        new Pipelines(new PipelineOptions(), EngineFaults.Classify, TimeProvider.System, Metrics.WithCustomRegistry(Metrics.NewCustomRegistry()), NullLogger<Pipelines>.Instance),
        TimeProvider.System,
        NullLogger<DockerEngine>.Instance);

    public static async Task<BenchCluster> StartAsync(string directory, CancellationToken cancellationToken)
    {
        var cluster = new BenchCluster(directory);
        await DockerAsync(["network", "create", cluster._stack], cancellationToken);
        return cluster;
    }

    /// <param name="data">Directory with a cluster's files; null: a new cluster.</param>
    public async Task<BackupSubject> ServerAsync(string name, string? data, CancellationToken cancellationToken)
    {
        var container = $"{_stack}-{name}";
        _containers.Add(container);
        List<string> mounts = ["-v", $"{Directory}:{Directory}", .. data is null ? Array.Empty<string>() : ["-v", $"{data}:{Data}"]];
        var id = await DockerAsync(
        [
            "run", "-d", "--name", container, "--network", _stack, "--no-healthcheck", "--shm-size", "256m", "--label", $"{Labels.Stack}={_stack}", "--label", $"{Labels.Service}=db", "--label", $"{Labels.Kind}=service",
            "-e", "POSTGRES_USER=bench", "-e", $"POSTGRES_PASSWORD={Password}", "-e", "POSTGRES_DB=bench", .. mounts,
            Image, "postgres", "-c", "shared_buffers=512MB", "-c", "max_wal_size=4GB", "-c", "maintenance_work_mem=256MB",
        ], cancellationToken);
        while (!await AnswersAsync(container, cancellationToken)) await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, cancellationToken);
        return await SubjectAsync(Engine, _stack, id.Trim(), cancellationToken);
    }

    /// <param name="container">Id or name of a server that was started here, by whatever process.</param>
    public static async Task<BackupSubject> SubjectAsync(DockerEngine engine, string stack, string container, CancellationToken cancellationToken)
    {
        var seen = await engine.InspectAsync(new ContainerId(container), cancellationToken) ?? throw new InvalidOperationException($"{container} is gone.");
        return new() { Stack = stack, Service = Service, Container = seen, Image = Image, Address = seen.Addresses[stack] };
    }

    public static PostgresLogins Logins(DockerEngine engine) => new(engine, (_, _, _) => Task.FromResult<Secrets.Secret?>(null));

    public static PostgresSource Source(DockerEngine engine, string directory, TimeProvider time) => new(engine, Logins(engine), Tool(engine, directory), time);

    private static ImageTool Tool(DockerEngine engine, string directory) => new(engine, Path.Combine(directory, "tool"), NullLogger<ImageTool>.Instance);

    /// <summary>A Redis without a file of its own.</summary>
    public async Task<BackupSubject> RedisAsync(CancellationToken cancellationToken)
    {
        var container = $"{_stack}-redis";
        _containers.Add(container);
        var id = await DockerAsync(
        [
            "run", "-d", "--name", container, "--network", _stack, "-v", $"{Directory}:{Directory}", "--label", $"{Labels.Stack}={_stack}", "--label", $"{Labels.Service}=cache", "--label", $"{Labels.Kind}=service",
            RedisImage, "redis-server", "--save", "", "--repl-diskless-sync-delay", "0",
        ], cancellationToken);
        var seen = await Engine.InspectAsync(new ContainerId(id.Trim()), cancellationToken) ?? throw new InvalidOperationException($"{container} is gone.");
        var service = new ServiceSpec
        {
            Name = "cache",
            Role = ServiceRole.Stateful,
            Coloured = false,
            Image = RedisImage,
            Container = new() { Mounts = [new(MountKind.Volume, "data", "/data", false, false)] },
            BasMalin = new() { Backup = new() { Kind = "redis" } },
        };
        return new() { Stack = _stack, Service = service, Container = seen, Image = RedisImage, Address = seen.Addresses[_stack] };
    }

    /// <summary>Keys whose values are hexadecimal digests: some 200 bytes each.</summary>
    public static async Task FillRedisAsync(BackupSubject subject, int keys, CancellationToken cancellationToken)
    {
        const int Batch = 10_000;
        var script = $"for i = ARGV[1], ARGV[1] + {Batch} - 1 do local h = redis.sha1hex(i); redis.call('SET', 'garden:' .. i, h .. redis.sha1hex(h) .. redis.sha1hex(h .. i) .. redis.sha1hex(i .. h) .. redis.sha1hex(h .. h)) end";
        await ShellAsync(subject, $"until redis-cli ping >/dev/null 2>&1; do sleep 0.1; done; for n in $(seq 0 {Batch} {keys - Batch}); do redis-cli eval \"{script}\" 0 $n >/dev/null || exit 1; done", cancellationToken);
    }

    public static ServiceSpec Service { get; } = new()
    {
        Name = "db",
        Role = ServiceRole.Stateful,
        Coloured = false,
        Image = Image,
        Container = new()
        {
            Environment = ImmutableSortedDictionary<string, string>.Empty.Add("POSTGRES_USER", "bench").Add("POSTGRES_PASSWORD", Password),
            Mounts = [new(MountKind.Volume, "data", Data, false, false)],
        },
        BasMalin = new() { Backup = new() { Kind = "postgres", Wal = true } },
    };

    /// <summary>Real tables: pgbench's, documents, and bytes that do not compress.</summary>
    public static async Task FillAsync(BackupSubject subject, int scale, CancellationToken cancellationToken)
    {
        var container = subject.Container.Name;
        await DockerAsync(["exec", "-e", $"PGPASSWORD={Password}", container, "pgbench", "-i", "-q", "-s", Number(scale), "-U", "bench", "bench"], cancellationToken);
        await PsqlAsync(
            container,
            $"""
             CREATE TABLE documents AS SELECT g AS id, jsonb_build_object('name', 'garden ' || g, 'tags', jsonb_build_array(md5(g::text), g % 97), 'note', repeat(md5((g * 7)::text), 3)) AS body FROM generate_series(1, {scale * 8000}) g;
             ALTER TABLE documents ADD PRIMARY KEY (id); CREATE INDEX ON documents USING gin (body);
             CREATE TABLE pictures AS SELECT g AS id, decode((SELECT string_agg(md5(random()::text || g || i), '') FROM generate_series(1, 500) i), 'hex') AS bytes FROM generate_series(1, {scale * 400}) g;
             VACUUM ANALYZE; CHECKPOINT;
             """,
            cancellationToken);
    }

    /// <returns>Transactions per second.</returns>
    public static async Task<double> LoadAsync(BackupSubject subject, int seconds, CancellationToken cancellationToken)
    {
        var said = await DockerAsync(
            ["exec", "-e", $"PGPASSWORD={Password}", subject.Container.Name, "pgbench", "-n", "-c", "8", "-j", "2", "-T", Number(seconds), "-U", "bench", "bench"], cancellationToken);
        var line = said.Split('\n').First(text => text.StartsWith("tps =", StringComparison.Ordinal));
        return double.Parse(line.Split(' ')[2], CultureInfo.InvariantCulture);
    }

    public static Task<string> ShellAsync(BackupSubject subject, string script, CancellationToken cancellationToken) =>
        DockerAsync(["exec", "-e", $"PGPASSWORD={Password}", subject.Container.Name, "bash", "-o", "pipefail", "-c", script], cancellationToken);

    public static async Task<long> BytesAsync(BackupSubject subject, CancellationToken cancellationToken) =>
        long.Parse(await ShellAsync(subject, "psql -U bench -At -c \"SELECT pg_database_size('bench')\" bench", cancellationToken), CultureInfo.InvariantCulture);

    public static Task StopAsync(BackupSubject subject, CancellationToken cancellationToken) => DockerAsync(["rm", "-f", "-v", subject.Container.Name], cancellationToken);

    public async ValueTask DisposeAsync()
    {
        // Of a 'size' that was interrupted, too.
        await Tool(Engine, Directory).RemoveLeftoversAsync(_stack, CancellationToken.None);
        foreach (var container in _containers) await DockerAsync(["rm", "-f", "-v", container], CancellationToken.None);
        await DockerAsync(["network", "rm", _stack], CancellationToken.None);
        await Engine.DisposeAsync();
    }

    private static async Task PsqlAsync(string container, string sql, CancellationToken cancellationToken)
    {
        foreach (var statement in sql.Split(';', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
            await DockerAsync(["exec", "-e", $"PGPASSWORD={Password}", container, "psql", "-U", "bench", "-v", "ON_ERROR_STOP=1", "-q", "-c", statement, "bench"], cancellationToken);
    }

    private static async Task<bool> AnswersAsync(string container, CancellationToken cancellationToken)
    {
        try
        {
            var said = await DockerAsync(["exec", "-e", $"PGPASSWORD={Password}", container, "psql", "-h", "127.0.0.1", "-U", "bench", "-At", "-c", "SELECT NOT pg_is_in_recovery()", "bench"], cancellationToken);
            return said.Trim() == "t";
        }
        catch (InvalidOperationException)
        {
            // Not yet.
            return false;
        }
    }

    private static string Number(int number) => number.ToString(CultureInfo.InvariantCulture);

    private static Task<string> DockerAsync(IEnumerable<string> arguments, CancellationToken cancellationToken) => ExternalProgram.RunAsync("docker", arguments, cancellationToken);
}
