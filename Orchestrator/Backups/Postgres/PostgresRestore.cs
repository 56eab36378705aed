using System.Text;
using Orchestrator.Backups.Pipeline;

namespace Orchestrator.Backups.Postgres;

/// <summary>Lays out a cluster's files and its log so that the image, started on them as ever, recovers to the wanted moment by itself and then serves.</summary>
internal sealed class PostgresRestore(BackupPart part, RestoreTarget target, BackupReader reader)
{
    public const string UsualDirectory = "/var/lib/postgresql/data";

    private const UnixFileMode Private = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
    private const UnixFileMode PrivateFile = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    private readonly PostgresFacts _facts = PostgresFacts.Read(part);

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var directory = DataDirectory();
        Directory.CreateDirectory(directory, Private);
        if (Directory.EnumerateFileSystemEntries(directory).Any())
            throw new BackupFailedException($"{directory} is not empty", "A restore goes into a new volume only; nothing was changed.");

        var goal = Goal();
        var selection = goal is RecoveryGoal.Named { Name: var name } && name == _facts.PointName
            ? new(_facts.Timeline, [])
            : await ChooseAsync(goal, cancellationToken);

        (uint Uid, uint Gid)? owner = null;
        await reader.ReadAsync(Object("base.tar"), async (content, token) => owner = await TarExtraction.RunAsync(content, directory, null, token), cancellationToken);
        if (Find(FileManifest.Name) is { } list) await ListAsync(list, directory, owner, cancellationToken);
        var log = Path.Combine(directory, RecoverySettings.LogDirectory);
        Directory.CreateDirectory(log, Private);
        await reader.ReadAsync(Object("wal.tar"), (content, token) => TarExtraction.RunAsync(content, log, owner, token), cancellationToken);
        foreach (var piece in selection.Pieces) await WriteAsync(piece, log, cancellationToken);
        foreach (var (timeline, content) in await HistoriesAsync(cancellationToken)) await File.WriteAllTextAsync(Path.Combine(log, WalNames.History(timeline)), content, cancellationToken);

        await ConfigureAsync(directory, goal, selection.Timeline, cancellationToken);
        GiveAway(directory, log, owner);
        PosixFiles.SyncFileSystem(directory);
    }

    /// <summary>Which mount holds the image's data directory, and where in it.</summary>
    private string DataDirectory()
    {
        var wanted = target.Service.Container.Environment.GetValueOrDefault("PGDATA", _facts.DataDirectory).TrimEnd('/');
        var mount = target.Directories.Where(mount => wanted == mount.Key.TrimEnd('/') || wanted.StartsWith(mount.Key.TrimEnd('/') + '/', StringComparison.Ordinal))
            .OrderByDescending(mount => mount.Key.Length).FirstOrDefault();
        return mount.Key is null
            ? throw new BackupFailedException($"{target.Service.Name}: no volume is mounted at or above {wanted}", "The database's data directory must lie on a volume.")
            : Path.Combine(mount.Value, wanted[mount.Key.TrimEnd('/').Length..].TrimStart('/'));
    }

    private RecoveryGoal Goal() => target.Point switch
    {
        RestorePoint.OfSet => new RecoveryGoal.Named(_facts.PointName),
        RestorePoint.Latest => new RecoveryGoal.End(),
        RestorePoint.At { Time: var time } => _facts.PointAt is { } earliest && time < earliest
            ? throw new BackupFailedException(
                $"{target.Service.Name}: {time.UtcDateTime:yyyy-MM-dd HH:mm:ss.fff}Z lies before the set, from which one can go forwards only, from {earliest.UtcDateTime:yyyy-MM-dd HH:mm:ss.fff}Z on",
                "Take an older set.")
            : new RecoveryGoal.Moment(time),
        RestorePoint.Position position when position.OfService.GetValueOrDefault(target.Service.Name) is { } text => Lsn.TryParse(text, out var lsn)
            ? new RecoveryGoal.Position(lsn)
            : new RecoveryGoal.Named(text),
        RestorePoint.Position => throw new BackupFailedException($"the position says nothing of {target.Service.Name}", "Name a restore point or an LSN for it."),
        _ => throw new InvalidOperationException($"{target.Point} is no moment that is known here."),
    };

    private async Task<WalSelection> ChooseAsync(RecoveryGoal goal, CancellationToken cancellationToken)
    {
        if (goal is RecoveryGoal.Position { Lsn: var lsn } && lsn <= _facts.PointLsn)
        {
            return lsn >= _facts.Consistent
                ? new(_facts.Timeline, [])
                : throw new BackupFailedException($"{target.Service.Name}: {lsn} lies before the set, from which one can go forwards only, from {_facts.Consistent} on", "Take an older set.");
        }

        var pieces = (await reader.ListAsync(Prefix, cancellationToken)).Select(stored => WalPiece.Parse(stored.Key)).OfType<WalPiece>().ToList();
        var histories = (await HistoriesAsync(cancellationToken)).Select(history => TimelineHistory.Parse(history.Timeline, history.Content)).ToList();
        return WalSelection.Choose(target.Service.Name, _facts, _facts.PointLsn, goal, pieces, histories);
    }

    private string Prefix => WalPiece.Prefix(target.Stack, part.Service, _facts.SystemIdentifier);

    private BackupObject? Find(string name) => part.Objects.FirstOrDefault(stored => stored.Key.Contains($"/{name}.", StringComparison.Ordinal));

    private BackupObject Object(string name) => Find(name)
        ?? throw new BackupFailedException($"the set's part of {part.Service} has no {name}", "It was not written by this program, or was changed.");

    /// <summary>The list of files, where the archive could not hold it. No recovery needs it: one that cannot be had is missed by the check that reads it, and by nobody else.</summary>
    private async Task ListAsync(BackupObject list, string directory, (uint Uid, uint Gid)? owner, CancellationToken cancellationToken)
    {
        var path = Path.Combine(directory, FileManifest.Name);
        try
        {
            await reader.ReadAsync(
                list,
                async (content, token) =>
                {
                    await using var file = new FileStream(path, new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = PrivateFile });
                    await content.CopyToAsync(file, token);
                },
                cancellationToken);
            if (owner is var (uid, gid) && PosixFiles.IsRoot) PosixFiles.ChangeOwner(path, uid, gid);
        }
        catch (BackupFailedException)
        {
            File.Delete(path);      // the reader has written down which store gave what
        }
    }

    private async Task WriteAsync(WalPiece piece, string log, CancellationToken cancellationToken)
    {
        await reader.ReadAsync(
            piece.Key,
            async (content, token) =>
            {
                var buffer = new byte[256 * 1024];
                var at = piece.Start;
                while (at < piece.End)
                {
                    var room = (int)Math.Min(buffer.Length, _facts.SegmentSize - (at - at.SegmentStart(_facts.SegmentSize)));
                    var read = await content.ReadAsync(buffer.AsMemory(0, (int)Math.Min(room, piece.End - at)), token);
                    if (read == 0) throw new BackupFailedException($"{piece.Key} is shorter than its name says", "Take an earlier moment, or another store.");
                    await PlaceAsync(Path.Combine(log, WalNames.Segment(piece.Timeline, at, _facts.SegmentSize)), at - at.SegmentStart(_facts.SegmentSize), buffer.AsMemory(0, read), token);
                    at += read;
                }

                if (await content.ReadAsync(buffer, token) > 0) throw new BackupFailedException($"{piece.Key} is longer than its name says", "Take an earlier moment, or another store.");
            },
            cancellationToken);
    }

    private async Task PlaceAsync(string path, long offset, ReadOnlyMemory<byte> data, CancellationToken cancellationToken)
    {
        var options = new FileStreamOptions { Mode = FileMode.OpenOrCreate, Access = FileAccess.Write, BufferSize = 0, UnixCreateMode = PrivateFile };
        await using var file = new FileStream(path, options);
        if (file.Length < _facts.SegmentSize) file.SetLength(_facts.SegmentSize);
        file.Position = offset;
        await file.WriteAsync(data, cancellationToken);
    }

    /// <summary>All that are known of the cluster: they keep the promoted copy from taking a timeline's number for the second time.</summary>
    private async Task<IReadOnlyList<(uint Timeline, string Content)>> HistoriesAsync(CancellationToken cancellationToken)
    {
        var found = new List<(uint, string)>();
        foreach (var stored in await reader.ListAsync(Prefix, cancellationToken))
        {
            if (HistoryObject.TimelineOf(stored.Key) is not { } timeline || found.Any(known => known.Item1 == timeline)) continue;

            await reader.ReadAsync(
                stored.Key,
                async (content, token) =>
                {
                    using var text = new StreamReader(content, Encoding.UTF8, leaveOpen: true);
                    found.Add((timeline, await text.ReadToEndAsync(token)));
                },
                cancellationToken);
        }

        return found;
    }

    private static async Task ConfigureAsync(string directory, RecoveryGoal goal, uint timeline, CancellationToken cancellationToken)
    {
        var path = Path.Combine(directory, RecoverySettings.File);
        var before = File.Exists(path) ? await File.ReadAllTextAsync(path, cancellationToken) : "";
        await File.WriteAllTextAsync(path, RecoverySettings.Write(before, goal, timeline), cancellationToken);
        await File.WriteAllTextAsync(Path.Combine(directory, RecoverySettings.SignalFile), "", cancellationToken);
        File.Delete(Path.Combine(directory, "standby.signal"));
    }

    private static void GiveAway(string directory, string log, (uint Uid, uint Gid)? owner)
    {
        File.SetUnixFileMode(directory, Private);
        string[] made = [directory, log, Path.Combine(directory, RecoverySettings.File), Path.Combine(directory, RecoverySettings.SignalFile)];
        foreach (var file in Directory.EnumerateFiles(log)) File.SetUnixFileMode(file, PrivateFile);
        if (owner is not var (uid, gid) || !PosixFiles.IsRoot) return;
        foreach (var path in made.Concat(Directory.EnumerateFiles(log))) PosixFiles.ChangeOwner(path, uid, gid);
    }
}
