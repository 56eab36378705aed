using System.Collections.Immutable;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Orchestrator.Backups;
using Orchestrator.Backups.Redis;
using Orchestrator.Docker;
using Orchestrator.Secrets;
using Orchestrator.Stacks;
using Orchestrator.Tests.GardenApp;

namespace Orchestrator.Tests.Backups.Redis;

/// <summary>A real Redis in a container of the image that stacks use, on a volume of its own, with what a source is told of it.</summary>
internal sealed class RedisServer : IAsyncDisposable
{
    public const string Image = DockerCli.Registry + "/redis:7";

    private readonly bool _ownsVolume;

    private RedisServer(string name, int port, string volume, string directory, bool ownsVolume, ImmutableArray<string> command)
    {
        (Name, Port, Volume, Directory, _ownsVolume) = (name, port, volume, directory, ownsVolume);
        Service = new ServiceSpec
        {
            Name = "cache",
            Role = ServiceRole.Stateful,
            Coloured = false,
            Image = Image,
            Container = new ContainerSettings { Command = command, Mounts = [new(MountKind.Volume, "data", "/data", ReadOnly: false, CreateHostPath: false)] },
            BasMalin = new BasMalinSpec { Backup = new BackupSpec { Kind = "redis" } },
        };
    }

    public string Name { get; }

    public int Port { get; }

    public string Volume { get; }

    /// <summary>Its volume on this host.</summary>
    public string Directory { get; }

    public ServiceSpec Service { get; private set; }

    public static Task<RedisServer> StartAsync(params ReadOnlySpan<string> options) => StartAsync(null, [.. options]);

    /// <summary>Starts one on a new, empty volume, or on a given one.</summary>
    public static async Task<RedisServer> StartAsync(string? volume, ImmutableArray<string> options)
    {
        await DockerCli.RequireImageAsync("redis:7");
        var name = $"basmalin-redis-{Guid.NewGuid():n}"[..28];
        var owns = volume is null;
        volume ??= await NewVolumeAsync();
        var port = FreePort();
        ImmutableArray<string> command = ["redis-server", "--enable-debug-command", "yes", "--repl-diskless-sync-delay", "0", .. options];
        await DockerCli.RunAsync("network", "create", "--label", "basmalin.test=backups", name);
        await DockerCli.RunAsync(["run", "-d", "--name", name, "--network", name, "--label", "basmalin.test=backups", "-p", $"127.0.0.1:{port}:6379", "-v", $"{volume}:/data", Image, .. command]);
        var server = new RedisServer(name, port, volume, await DirectoryOfAsync(volume), owns, command);
        await server.UntilItAnswersAsync();
        return server;
    }

    public static Task<string> NewVolumeAsync() => DockerCli.RunAsync("volume", "create", "--label", "basmalin.test=backups", $"basmalin-redis-{Guid.NewGuid():n}");

    public static Task<string> DirectoryOfAsync(string volume) => DockerCli.RunAsync("volume", "inspect", "--format", "{{.Mountpoint}}", volume);

    public RedisServer With(BackupSpec backup)
    {
        Service = Service with { BasMalin = new BasMalinSpec { Backup = backup } };
        return this;
    }

    public async Task<BackupSubject> SubjectAsync(string stack = "garden") => new()
    {
        Stack = stack,
        Service = Service,
        Container = new ObservedContainer
        {
            Id = new ContainerId(await DockerCli.RunAsync("inspect", "--format", "{{.Id}}", Name)),
            Name = Name,
            Labels = ImmutableSortedDictionary<string, string>.Empty,
            State = ContainerState.Running,
            ImageId = Image,
            Directories = ImmutableSortedDictionary<string, string>.Empty.Add("/data", Directory),
        },
        Image = Image,
        Address = string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{Port}"),
    };

    public RestoreTarget Target(string directory, RestorePoint? point = null) => new()
    {
        Stack = "garden",
        Service = Service,
        Image = Image,
        Directories = ImmutableSortedDictionary<string, string>.Empty.Add("/data", directory),
        Point = point ?? new RestorePoint.OfSet(),
    };

    internal Task<RedisConnection> ConnectAsync(string? user = null, string? password = null) =>
        RedisConnection.OpenAsync(RedisEndpoint.Of($"127.0.0.1:{Port}", user, password is null ? null : new Secret(password)), TimeProvider.System, CancellationToken.None);

    public async Task<string> AskAsync(params ImmutableArray<string> command)
    {
        await using var connection = await ConnectAsync();
        return (await connection.AskAsync(command, CancellationToken.None)).Text ?? "";
    }

    /// <summary>Redis's own sum over everything that it has.</summary>
    public Task<string> DigestAsync() => AskAsync("DEBUG", "DIGEST");

    public Task<string> LogAsync() => DockerCli.RunAsync("logs", "--tail", "30", Name);

    public Task StopAsync() => DockerCli.RunAsync("stop", "-t", "5", Name);

    public async Task UntilItAnswersAsync() => await Eventually.TrueAsync(
        async () =>
        {
            try
            {
                await using var connection = await ConnectAsync();
                var answer = await connection.TryAskAsync(["PING"], CancellationToken.None);
                return answer is RedisReply.Status || (answer is RedisReply.Refusal refusal && !refusal.Message.StartsWith("LOADING", StringComparison.Ordinal));
            }
            catch (RedisException)
            {
                return false;
            }
        },
        $"{Name} answers");

    public async ValueTask DisposeAsync()
    {
        await DockerCli.TryAsync("rm", "-f", Name);
        await DockerCli.TryAsync("network", "rm", Name);
        if (_ownsVolume) await DockerCli.TryAsync("volume", "rm", "-f", Volume);
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
