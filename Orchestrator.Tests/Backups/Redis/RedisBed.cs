using Orchestrator.Backups;
using Orchestrator.Backups.Redis;
using Orchestrator.Journal.Sqlite;
using Orchestrator.Secrets;
using Orchestrator.Tests.Docker;
using Orchestrator.Tests.GardenApp;
using Orchestrator.Tests.Journal;

namespace Orchestrator.Tests.Backups.Redis;

/// <summary>A source with a store of plain files, and volumes to restore into.</summary>
internal sealed class RedisBed : IAsyncDisposable
{
    private readonly TemporaryDirectory _directory;
    private readonly Lab _lab = new();
    private readonly List<string> _volumes = [];
    private readonly SqliteDatabase _database;

    private RedisBed(SqliteDatabase database, TemporaryDirectory directory)
    {
        (_database, _directory) = (database, directory);
        Secrets = new SecretStore(database, KeyRing.Open(Path.Combine(directory.Path, "key"), hasSecrets: false), TimeProvider.System);
        Store = new SourceStore(Path.Combine(directory.Path, "store"));
        Source = new RedisSource(_lab.Engine, Secrets, TimeProvider.System);
    }

    public SecretStore Secrets { get; }

    public SourceStore Store { get; }

    public RedisSource Source { get; }

    public string Directory => _directory.Path;

    public static async Task<RedisBed> MakeAsync()
    {
        var directory = new TemporaryDirectory();
        return new(await SqliteDatabase.OpenAsync(Path.Combine(directory.Path, "journal.db"), TimeProvider.System, CancellationToken.None), directory);
    }

    public Task<BackupPart> BackupAsync(RedisServer server) =>
        Store.KeepAsync(async writer => await Source.BackupAsync(await server.SubjectAsync(), writer, CancellationToken.None));

    /// <summary>What restores said of moments that are not what was asked for.</summary>
    public List<string> Said { get; } = [];

    /// <summary>Restores into a new volume and starts a server of the same command on it.</summary>
    public async Task<RedisServer> RestoredAsync(BackupPart part, RedisServer as_, RestorePoint? point = null)
    {
        var volume = await VolumeAsync();
        await Source.RestoreAsync(part, as_.Target(await RedisServer.DirectoryOfAsync(volume), point) with { Say = Said.Add }, Store.Reader, CancellationToken.None);
        return await StartOnAsync(volume, as_);
    }

    /// <summary>The same with the script beside the recovery card, and nothing of ours.</summary>
    /// <param name="to">As the script takes it; empty: the set.</param>
    public async Task<RedisServer> RestoredByHandAsync(BackupSetId set, RedisServer as_, string to)
    {
        var volume = await VolumeAsync();
        var key = Path.Combine(Directory, "offline.key");
        await File.WriteAllTextAsync(key, Store.PrivateKey);
        string[] moment = to.Length == 0 ? [] : [to];
        await Command.RunAsync("bash", [Store.PathOf($"garden/{RedisRecovery.ScriptName}"), key, set.Value, "cache", await RedisServer.DirectoryOfAsync(volume), .. moment]);
        return await StartOnAsync(volume, as_);
    }

    private static Task<RedisServer> StartOnAsync(string volume, RedisServer as_) => RedisServer.StartAsync(volume, as_.Service.Container.Command!.Value[5..]);

    private async Task<string> VolumeAsync()
    {
        var volume = await RedisServer.NewVolumeAsync();
        _volumes.Add(volume);
        return volume;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var volume in _volumes) await DockerCli.TryAsync("volume", "rm", "-f", volume);
        _database.Dispose();
        await _lab.DisposeAsync();
        _directory.Dispose();
    }
}
