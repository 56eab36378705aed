using System.Globalization;
using Orchestrator.Backups.Volumes;

namespace Orchestrator.Backups.Redis;

/// <summary>
/// The files of a Redis in a directory that becomes its volume. A server with <c>appendonly yes</c> looks at its append-only file alone and starts empty
/// beside a perfect <c>dump.rdb</c>; one without looks at that alone. So each gets its own, and never both: an append-only directory left behind would win on
/// the day when somebody switches it on.
/// </summary>
internal sealed class RedisLayout
{
    private const int FirstWithDirectory = 7;

    private readonly RedisSettings _settings;
    private readonly string _directory;
    private readonly string? _owner;
    private readonly bool _manifest;

    private RedisLayout(RedisSettings settings, string directory, string? owner, bool manifest)
    {
        _settings = settings;
        _directory = directory;
        _owner = owner;
        _manifest = manifest;
    }

    public string DirectoryPath => _directory;

    public bool AppendOnly => _settings.AppendOnly == true;

    /// <summary>Where the data of the base lie: a whole RDB file, which an append-only file may begin with.</summary>
    public string BasePath => (AppendOnly, _manifest) switch
    {
        (false, _) => Path.Combine(_directory, _settings.FileName),
        (true, false) => Path.Combine(_directory, _settings.AppendFileName),
        (true, true) => Path.Combine(_directory, _settings.AppendDirectory, $"{_settings.AppendFileName}.1.base.rdb"),
    };

    private string CommandsPath => Path.Combine(_directory, _settings.AppendDirectory, $"{_settings.AppendFileName}.1.incr.aof");

    /// <exception cref="BackupFailedException">Redis's directory is in none of the volumes.</exception>
    public static RedisLayout Of(BackupPart part, RestoreTarget target)
    {
        var settings = RedisSettings.Of(part.Facts, target.Service.Container.Command ?? []);
        var directory = Inside(target.Directories, settings.Directory)
            ?? throw new BackupFailedException(
                $"{part.Service}: Redis keeps its data in {settings.Directory}, which is in none of its volumes ({string.Join(", ", target.Directories.Keys)})",
                "Mount a volume there, so that what is restored outlives the container.");
        var major = int.TryParse(part.Facts.GetValueOrDefault("version", "7").Split('.')[0], NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : FirstWithDirectory;
        var owner = part.Facts.GetValueOrDefault("owner");
        return new(settings, directory, target.Service.Container.User is { } user && user.Split(':').All(id => uint.TryParse(id, out _)) ? user : owner, major >= FirstWithDirectory);
    }

    /// <returns><c>UID:GID</c> of Redis's directory as it is; null: it lies in no volume.</returns>
    public static string? OwnerOf(BackupSubject subject, RedisSettings settings) =>
        Inside(subject.Container.Directories, settings.Directory) is { } directory && HostPath.TryStatus(directory) is { } status
            ? string.Create(CultureInfo.InvariantCulture, $"{status.Uid}:{status.Gid}")
            : null;

    public void MakeDirectories()
    {
        Directory.CreateDirectory(_directory);
        if (Path.GetDirectoryName(BasePath) is { } parent) Directory.CreateDirectory(parent, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }

    /// <summary>An append-only layout in a directory below this one, for what works on the way.</summary>
    public RedisLayout Within(string name) => new(new RedisSettings { AppendOnly = true }, Path.Combine(_directory, name), null, _manifest);

    /// <summary>Where the commands behind the base go: before Redis 7, behind it in the same file.</summary>
    public FileStream OpenCommands()
    {
        if (_manifest) return new FileStream(CommandsPath, Options(FileMode.CreateNew));

        var file = new FileStream(BasePath, Options(FileMode.Open));
        file.Seek(0, SeekOrigin.End);
        return file;
    }

    public async Task WriteBaseAsync(Stream content, CancellationToken cancellationToken)
    {
        await using var file = new FileStream(BasePath, Options(FileMode.CreateNew));
        await content.CopyToAsync(file, cancellationToken);
        file.Flush(flushToDisk: true);
    }

    /// <summary>Writes what says which files there are, and gives everything to its owner.</summary>
    public void Finish()
    {
        if (AppendOnly && _manifest)
        {
            var name = _settings.AppendFileName;
            using var file = new StreamWriter(Path.Combine(_directory, _settings.AppendDirectory, $"{name}.manifest"), Options(FileMode.CreateNew));
            file.Write($"file {name}.1.base.rdb seq 1 type b\n");
            if (File.Exists(CommandsPath)) file.Write($"file {name}.1.incr.aof seq 1 type i\n");
        }

        if (_owner is null) return;
        var ids = _owner.Split(':').Select(id => uint.Parse(id, CultureInfo.InvariantCulture)).ToArray();
        foreach (var path in Directory.EnumerateFileSystemEntries(_directory, "*", SearchOption.AllDirectories).Prepend(_directory)) HostPath.SetOwner(path, ids[0], ids[^1]);
    }

    private static string? Inside(IReadOnlyDictionary<string, string> directories, string inside)
    {
        foreach (var (mount, directory) in directories.OrderByDescending(item => item.Key.Length))
        {
            if (inside == mount) return directory;
            if (inside.StartsWith(mount.TrimEnd('/') + "/", StringComparison.Ordinal)) return Path.Combine(directory, inside[(mount.TrimEnd('/').Length + 1)..]);
        }

        return null;
    }

    private static FileStreamOptions Options(FileMode mode) => new() { Mode = mode, Access = FileAccess.Write, UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite };
}
