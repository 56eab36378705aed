using System.Collections.Immutable;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using Orchestrator.Backups;
using Orchestrator.Backups.Postgres;
using Orchestrator.Docker;
using Orchestrator.Stacks;
using Orchestrator.Tests.Docker;
using Orchestrator.Tests.GardenApp;

namespace Orchestrator.Tests.Backups.Postgres;

/// <summary>Real PostgreSQL servers on a network of their own, and a directory for what the daemon would keep; all gone at the end.</summary>
internal sealed class Cluster : IAsyncDisposable
{
    public const string Image = $"{DockerCli.Registry}/postgres:15";
    public const string DataDirectory = "/var/lib/postgresql/data";

    private const string Password = "p:a\\ss/w%rd'";

    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("basmalin-pg-");

    private Cluster()
    {
    }

    public Lab Lab { get; } = new();

    public string Network { get; private set; } = "";

    /// <summary>The subject of backups.</summary>
    public BackupSubject Subject { get; private set; } = null!;

    public BackupSpec Spec { get; set; } = new() { Kind = "postgres" };

    public string PathOf(string name) => Path.Combine(_directory.FullName, name);

    public ImageTool Tool => new(Lab.Engine, PathOf("tool"), NullLogger<ImageTool>.Instance);

    public PostgresLogins Logins => new(Lab.Engine, (_, name, _) => Task.FromResult(name == "wrong" ? new Orchestrator.Secrets.Secret("not it") : null));

    public PostgresSource Source => new(Lab.Engine, Logins, Tool, TimeProvider.System);

    public TestStore Store(string name = "store") => new(PathOf(name), Lab.Stack);

    /// <param name="hba">Whether others may replicate.</param>
    public static async Task<Cluster> StartAsync(bool hba = true, params string[] settings)
    {
        await DockerCli.RequireImageAsync("postgres:15");
        var cluster = new Cluster();
        try
        {
            cluster.Network = await cluster.Lab.NetworkAsync("net");
            var script = cluster.PathOf("replication.sh");
            await File.WriteAllTextAsync(script, hba
                ? "grep -q '^host replication all samenet' \"$PGDATA/pg_hba.conf\" || echo 'host replication all samenet scram-sha-256' >>\"$PGDATA/pg_hba.conf\"\n"
                : "sed -i '/^host replication all samenet/d' \"$PGDATA/pg_hba.conf\"\n");
            File.SetUnixFileMode(cluster._directory.FullName, (UnixFileMode)0b111_101_101);
            var id = await cluster.RunAsync("db", [new(MountKind.Bind, script, "/docker-entrypoint-initdb.d/replication.sh", true, false)], settings);
            cluster.Subject = await cluster.SubjectAsync(id);
            await cluster.ReadyAsync(cluster.Subject);
            return cluster;
        }
        catch
        {
            await cluster.DisposeAsync();
            throw;
        }
    }

    /// <summary>A server on a directory that was laid out.</summary>
    public async Task<BackupSubject> StartOnAsync(string directory, string name)
    {
        var id = await RunAsync(name, [new(MountKind.Bind, directory, DataDirectory, false, false)]);
        var subject = await SubjectAsync(id);
        await ReadyAsync(subject);
        return subject;
    }

    public async Task<ContainerId> RunAsync(string name, ImmutableArray<MountSpec> mounts, params string[] settings)
    {
        var request = Lab.Request(name, new ContainerSettings
        {
            Environment = ImmutableSortedDictionary<string, string>.Empty.Add("POSTGRES_PASSWORD", Password).Add("POSTGRES_USER", "garden").Add("POSTGRES_DB", "garden"),
        }, ["postgres", "-c", "shared_buffers=32MB", "-c", "max_wal_size=256MB", .. settings.SelectMany(setting => (string[])["-c", setting])]);
        return await Lab.RunAsync(request with { Image = Image, Mounts = mounts, Networks = [new(Network, [])], Labels = request.Labels.SetItem(Labels.Kind, "service") });
    }

    public async Task<BackupSubject> SubjectAsync(ContainerId id)
    {
        var seen = await Lab.Engine.InspectAsync(id, CancellationToken.None) ?? throw new InvalidOperationException("The container is gone.");
        return new()
        {
            Stack = Lab.Stack,
            Service = Service(),
            Container = seen,
            Image = Image,
            Address = seen.Addresses.GetValueOrDefault(Network, "127.0.0.1"),
        };
    }

    public ServiceSpec Service() => new()
    {
        Name = "db",
        Role = ServiceRole.Stateful,
        Coloured = false,
        Image = Image,
        Container = new()
        {
            Environment = ImmutableSortedDictionary<string, string>.Empty.Add("POSTGRES_PASSWORD", Password).Add("POSTGRES_USER", "garden").Add("POSTGRES_DB", "garden"),
            Mounts = [new(MountKind.Volume, "data", DataDirectory, false, false)],
        },
        BasMalin = new() { Backup = Spec },
    };

    /// <summary>Restores a set into a directory of its own and starts the service's image on it.</summary>
    public async Task<BackupSubject> RestoreAsync(BackupPart part, RestorePoint point, TestStore store, string name)
    {
        var directory = NewDirectory($"restored-{name}");
        await Source.RestoreAsync(part, Target(directory, point), store.Reader, CancellationToken.None);
        return await StartOnAsync(directory, name);
    }

    /// <summary>A standby of the server, streaming from it.</summary>
    public async Task<BackupSubject> StandbyAsync(string name)
    {
        var request = Lab.Request(name, new ContainerSettings
        {
            Environment = ImmutableSortedDictionary<string, string>.Empty.Add("PGPASSWORD", Password),
            Entrypoint = ["bash", "-c", $"chmod 700 $PGDATA && pg_basebackup -h {Subject.Address} -U garden -D $PGDATA -R -c fast && exec postgres -c listen_addresses='*' -c shared_buffers=32MB"],
            User = "postgres",
        });
        var id = await Lab.RunAsync(request with { Image = Image, Networks = [new(Network, [])], Labels = request.Labels.SetItem(Labels.Kind, "service") });
        var subject = await SubjectAsync(id);
        await Eventually.TrueAsync(async () => await AskAsync<long>(Subject, "SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming' AND application_name LIKE 'walreceiver%'") == 1, "the standby follows");
        return subject;
    }

    /// <summary>The same subject with other settings of its backup.</summary>
    public BackupSubject With(BackupSpec spec) => Subject with { Service = Subject.Service with { BasMalin = new() { Backup = spec } } };

    public RestoreTarget Target(string directory, RestorePoint point) => new()
    {
        Stack = Lab.Stack,
        Service = Service(),
        Image = Image,
        Directories = ImmutableSortedDictionary<string, string>.Empty.Add(DataDirectory, directory),
        Point = point,
    };

    public string NewDirectory(string name) => Directory.CreateDirectory(PathOf(name)).FullName;

    public static NpgsqlDataSource Open(BackupSubject subject, string database = "garden") => NpgsqlDataSource.Create(new NpgsqlConnectionStringBuilder
    {
        Host = subject.Address,
        Username = "garden",
        Password = Password,
        Database = database,
        Timeout = 5,
        MaxPoolSize = 20,
        IncludeErrorDetail = true,
    }.ConnectionString);

    public Task ExecuteAsync(string sql, string database = "garden") => ExecuteAsync(Subject, sql, database);

    public static async Task ExecuteAsync(BackupSubject subject, string sql, string database = "garden")
    {
        await using var source = Open(subject, database);
        await using var command = source.CreateCommand(sql);
        await command.ExecuteNonQueryAsync();
    }

    public static async Task<T> AskAsync<T>(BackupSubject subject, string sql, string database = "garden")
    {
        await using var source = Open(subject, database);
        await using var command = source.CreateCommand(sql);
        return (T)(await command.ExecuteScalarAsync())!;
    }

    /// <summary>Until it answers, over TCP, and has been promoted.</summary>
    public async Task ReadyAsync(BackupSubject subject)
    {
        await Eventually.TrueAsync(async () =>
        {
            if (await Lab.Engine.InspectAsync(subject.Container.Id, CancellationToken.None) is not { State: ContainerState.Running })
            {
                var words = await Lab.Engine.TailAsync(subject.Container.Id, 20, CancellationToken.None);
                Assert.Fail($"{subject.Container.Name} ended: {string.Join('\n', words.Select(line => line.Text))}");
            }

            try
            {
                return await AskAsync<bool>(subject, "SELECT NOT pg_is_in_recovery()");
            }
            catch (NpgsqlException)
            {
                return false;
            }
        }, $"{subject.Container.Name} answers");
    }

    public async ValueTask DisposeAsync()
    {
        await Lab.DisposeAsync();
        _directory.Delete(recursive: true);
    }
}
