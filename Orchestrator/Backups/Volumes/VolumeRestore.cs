using System.Formats.Tar;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using Orchestrator.Backups.Pipeline;

namespace Orchestrator.Backups.Volumes;

/// <summary>
/// Lays a volume out again from its index and packs, into an empty directory. Symbolic links come last, so that nothing is ever written through one, whatever
/// an index says; each file's content is held against the hash in the index. Needs sixteen bytes of memory for each file.
/// </summary>
internal sealed class VolumeRestore(string directory, BackupPart part, BackupReader reader)
{
    private readonly List<Place> _places = [];
    private readonly Dictionary<int, VolumePack> _packs = [];

    /// <exception cref="BackupFailedException">The directory is not empty, or the set does not hold what its index says.</exception>
    public async Task RunAsync(BackupObject index, CancellationToken cancellationToken)
    {
        if (Directory.EnumerateFileSystemEntries(directory).Any())
            throw new BackupFailedException($"{directory} is not empty", "A volume is restored into a new one only; nothing was written.");

        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.ReadWrite, Options = FileOptions.DeleteOnClose, UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite };
        await using var lines = new FileStream(Path.Combine(Path.GetTempPath(), $"basmalin-index-{Guid.NewGuid():n}"), options);
        await reader.ReadAsync(index, (content, token) => content.CopyToAsync(lines, token), cancellationToken);
        using var target = new RestoredTree(directory);
        try
        {
            Each(lines, (line, at) => First(target, line, at));
            foreach (var pack in _places.OrderBy(place => place.Pack).ThenBy(place => place.Member).GroupBy(place => place.Pack))
            {
                Queue<Place> wanted = new(pack);
                await reader.ReadAsync(StoredOf(pack.Key), (content, token) => UnpackAsync(target, lines, wanted, content, token), cancellationToken);
                if (wanted.TryPeek(out var missing)) throw Wrong($"pack {pack.Key} has no member {missing.Member}");
            }

            Each(lines, (line, _) => target.Link(line));
            Each(lines, (line, _) => target.FinishDirectory(line));
        }
        catch (Exception failure) when (failure is FormatException or IOException or ArgumentException)
        {
            throw new BackupFailedException($"{part.Service}: {failure.Message}", "See whether the disk of the new volume is full or damaged; the set itself was read as it was stored.", failure);
        }
    }

    private void First(RestoredTree target, IndexLine line, long at)
    {
        if (line.Kind == 'd') target.MakeDirectory(line);
        else if (line is { Kind: 'f', Pack: < 0 }) target.MakeEmpty(line);
        else if (line.Kind == 'f') _places.Add(new(line.Pack, line.Member, at));
    }

    private async Task UnpackAsync(RestoredTree target, FileStream lines, Queue<Place> wanted, Stream content, CancellationToken cancellationToken)
    {
        await using var tar = new TarReader(content, leaveOpen: true);
        while (await tar.GetNextEntryAsync(copyData: false, cancellationToken) is { } entry)
        {
            var sparse = entry is PaxTarEntry pax && pax.ExtendedAttributes.ContainsKey("GNU.sparse.major");
            if (!int.TryParse(entry.Name.AsSpan(entry.Name.LastIndexOf('/') + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var member)) throw Wrong($"a pack has a member called {entry.Name}");

            IndexLine? written = null;
            while (wanted.TryPeek(out var place) && place.Member == member)
            {
                var line = LineAt(lines, wanted.Dequeue().Line);
                if (written is not null) target.Copy(written, line);
                else if (await target.WriteAsync(line, entry.DataStream ?? Stream.Null, sparse, cancellationToken) is var hash && hash != line.Hash)
                    throw Wrong($"{IndexLine.Escape(line.Path)} has the hash {hash}, and the index says {line.Hash}");
                written ??= line;
            }
        }
    }

    private void Each(FileStream lines, Action<IndexLine, long> act)
    {
        lines.Position = 0;
        using var text = new StreamReader(lines, Encoding.ASCII, detectEncodingFromByteOrderMarks: false, leaveOpen: true);
        if (text.ReadLine() is not { } head || head != VolumeRecord.Head) throw Wrong("its index is of a kind that this version does not know");

        var at = (long)head.Length + 1;
        while (text.ReadLine() is { } line)
        {
            if (VolumeRecord.IsEntry(line)) act(IndexLine.Read(line), at);
            else if (VolumeRecord.TryReadPack(line) is { } pack) _packs[pack.Number] = pack;
            at += line.Length + 1;
        }
    }

    private static IndexLine LineAt(FileStream lines, long at)
    {
        lines.Position = at;
        using var text = new StreamReader(lines, Encoding.ASCII, detectEncodingFromByteOrderMarks: false, bufferSize: 512, leaveOpen: true);
        return IndexLine.Read(text.ReadLine() ?? throw new FormatException("the index ends in the middle"));
    }

    private BackupObject StoredOf(int number) => _packs.TryGetValue(number, out var pack) && part.Objects.FirstOrDefault(item => item.Key == pack.Stored.Key) is { } stored
        ? stored
        : throw Wrong($"pack {number} is not in the set");

    private BackupFailedException Wrong(string what) => new($"{part.Service}: {what}", "The set is damaged or was made by another program. Choose another one ('basmalin backup list').");

    /// <param name="Line">Where its line begins in the index.</param>
    [StructLayout(LayoutKind.Auto)]
    private readonly record struct Place(int Pack, int Member, long Line);
}
