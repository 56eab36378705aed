using System.Formats.Tar;

namespace Orchestrator.Backups.Postgres;

/// <summary>Lays a tar out in a directory: files, directories and links with their modes, and with their owners where the daemon may give files away.</summary>
internal static class TarExtraction
{
    /// <param name="owner">Null: as the archive says.</param>
    /// <returns>The owner of the archive's first entry.</returns>
    /// <exception cref="InvalidDataException">An entry leads out of the directory, or is of a kind that has no place in it.</exception>
    public static async Task<(uint Uid, uint Gid)?> RunAsync(Stream archive, string directory, (uint Uid, uint Gid)? owner, CancellationToken cancellationToken)
    {
        (uint Uid, uint Gid)? first = null;
        var root = Path.GetFullPath(directory);
        await using var reader = new TarReader(archive, leaveOpen: true);
        while (await reader.GetNextEntryAsync(copyData: false, cancellationToken) is { } entry)
        {
            var path = Path.GetFullPath(Path.Combine(root, entry.Name));
            if (path != root && !path.StartsWith(root + '/', StringComparison.Ordinal)) throw new InvalidDataException($"the archive's '{entry.Name}' leads out of its directory");

            first ??= ((uint)entry.Uid, (uint)entry.Gid);
            await WriteAsync(entry, path, cancellationToken);
            var (uid, gid) = owner ?? ((uint)entry.Uid, (uint)entry.Gid);
            if (PosixFiles.IsRoot) PosixFiles.ChangeOwner(path, uid, gid);
        }

        return first;
    }

    private static async Task WriteAsync(TarEntry entry, string path, CancellationToken cancellationToken)
    {
        switch (entry.EntryType)
        {
            case TarEntryType.Directory:
                Directory.CreateDirectory(path, entry.Mode);
                File.SetUnixFileMode(path, entry.Mode);
                break;
            case TarEntryType.RegularFile or TarEntryType.V7RegularFile:
                Directory.CreateDirectory(Path.GetDirectoryName(path) ?? "/");
                var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, BufferSize = 0, UnixCreateMode = entry.Mode };
                await using (var file = new FileStream(path, options))
                {
                    if (entry.DataStream is { } data) await data.CopyToAsync(file, 256 * 1024, cancellationToken);
                }

                break;
            default:
                throw new InvalidDataException($"the archive's '{entry.Name}' is a {entry.EntryType}, which no data directory of ours has");
        }
    }
}
