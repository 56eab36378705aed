using System.Collections.Immutable;
using System.Globalization;
using System.Security.Cryptography;
using Microsoft.Win32.SafeHandles;
using Orchestrator.Backups.Pipeline;

namespace Orchestrator.Backups.Volumes;

/// <summary>
/// One backup of one volume: what changed goes into packs, and the new index says where everything lies. A file is taken for unchanged when its inode, size,
/// time of change and time of status are those of the last backup, of which no program can set the last; a file whose status changed in the very seconds of
/// the last backup, or in what was the future then, is read again.
/// </summary>
internal sealed class VolumeCopy : IDisposable
{
    private const long PackBytes = 64L * 1024 * 1024;
    private const int PackMembers = 100_000;
    private const int WholeInMemory = 1024 * 1024;
    private const int ReadAllEvery = 20;

    private static readonly TimeSpan Unsettled = TimeSpan.FromSeconds(2);

    private readonly BackupWriter? _writer;
    private readonly string _name;
    private readonly StreamWriter _index;
    private readonly KnownContent _known;
    private readonly VolumeDigest _digest;
    private readonly long _settledBefore;
    private readonly bool _readAll;
    private readonly HashSet<int> _used = [];
    private readonly Dictionary<(ulong, ulong), byte[]> _linked = [];
    private OpenPack? _pack;
    private int _nextPack;
    private long _seen;

    /// <param name="writer">Null: the volume is only looked at, and nothing is kept.</param>
    /// <param name="name">Where its packs go.</param>
    public VolumeCopy(BackupWriter? writer, string name, StreamWriter index, KnownContent known, VolumeDigest digest, DateTimeOffset now)
    {
        (_writer, _name, _index, _known, _digest) = (writer, name, index, known, digest);
        _settledBefore = (now - Unsettled).ToUnixTimeSeconds();
        _nextPack = known.NextPack;
        _readAll = known.Round + 1 >= ReadAllEvery;
    }

    public VolumeNotes Notes { get; } = new();

    public long Files { get; private set; }

    /// <summary>Bytes of content that were copied; the rest was there already.</summary>
    public long Copied { get; private set; }

    /// <returns>The packs that the index refers to.</returns>
    public async Task<IReadOnlyList<VolumePack>> RunAsync(string directory, CancellationToken cancellationToken)
    {
        try
        {
            await _index.WriteLineAsync(VolumeRecord.Head);
            await new VolumeWalk(entry => AddAsync(entry, cancellationToken), Notes, cancellationToken).RunAsync(directory);
            await ClosePackAsync();
        }
        catch (Exception failure)
        {
            if (_pack is { } open) await open.AbandonAsync(failure);
            throw;
        }

        VolumePack[] packs = [.. _known.Packs.Values.Where(pack => _used.Contains(pack.Number)).OrderBy(pack => pack.Number)];
        foreach (var pack in packs) await _index.WriteLineAsync(VolumeRecord.Write(pack));
        await _index.WriteLineAsync(VolumeRecord.WriteRound(_readAll ? 0 : _known.Round + 1));
        return packs;
    }

    public void Dispose() => _known.Dispose();

    private async ValueTask AddAsync(WalkedEntry entry, CancellationToken cancellationToken)
    {
        var line = entry.Status.Kind switch
        {
            FileKind.Directory => Described(entry, 'd') with { Attributes = entry.Self is { } self ? ExtendedAttributes.Read(self.Number) : ImmutableSortedDictionary<string, byte[]>.Empty },
            FileKind.SymbolicLink => entry.TryReadLink() is { } target ? Described(entry, 'l') with { Target = target } : null,
            _ => await FileAsync(entry, cancellationToken),
        };
        if (line is null)
        {
            Notes.Add(entry.Path, "vanished while the volume was read");
            return;
        }

        _digest.Add(line);
        if (line.Pack >= 0) _used.Add(line.Pack);
        if (line.Kind == 'f' && entry.Status.Links > 1) _linked[(entry.Status.Device, entry.Status.Inode)] = entry.Path;
        await _index.WriteLineAsync(line.Write().AsMemory(), cancellationToken);
    }

    private static IndexLine Described(WalkedEntry entry, char kind) => new()
    {
        Kind = kind,
        Path = entry.Path,
        Mode = entry.Status.Mode,
        Uid = entry.Status.Uid,
        Gid = entry.Status.Gid,
        Modified = entry.Status.Modified,
    };

    private async Task<IndexLine?> FileAsync(WalkedEntry entry, CancellationToken cancellationToken)
    {
        if (entry.Status.Links > 1 && _linked.TryGetValue((entry.Status.Device, entry.Status.Inode), out var first)) return Described(entry, 'h') with { Target = first };

        using var file = entry.TryOpen();
        if (file is null) return null;

        // Of what was opened: between the look at the name and here, another file may have got it.
        var status = HostPath.Status((int)file.DangerousGetHandle());
        var line = Described(entry with { Status = status }, 'f') with
        {
            Size = status.Size,
            Inode = status.Inode,
            Changed = status.Changed.Seconds < _settledBefore ? status.Changed : default,
            Attributes = ExtendedAttributes.Read((int)file.DangerousGetHandle()),
        };
        Files++;
        _seen += status.Size;
        _writer?.Report(_name, _seen, _known.Bytes > 0 ? Math.Max(_known.Bytes, _seen) : null);
        return Unchanged(entry.Path, status) is { } before ? line with { Hash = before.Hash, Pack = before.Pack, Member = before.Member } : await ContentAsync(line, file, status, cancellationToken);
    }

    private IndexLine? Unchanged(byte[] path, FileStatus status)
    {
        var before = _known.At(path);
        return before is { Kind: 'f' } && !_readAll && before.Changed != default && before.Inode == status.Inode && before.Size == status.Size
            && before.Modified == status.Modified && before.Changed == status.Changed
            ? before
            : null;
    }

    private async Task<IndexLine> ContentAsync(IndexLine line, SafeFileHandle file, FileStatus status, CancellationToken cancellationToken)
    {
        if (status.Size <= WholeInMemory) return await SmallAsync(line, file, status, cancellationToken);

        if (_known.Any || _writer is null)
        {
            using var look = CopiedFile.Open(file, status);
            await look.CopyToAsync(Stream.Null, cancellationToken);
            var hash = look.Finish();
            if (_known.Find(hash) is { } place) return line with { Hash = hash, Pack = place.Pack, Member = place.Member };
            if (_writer is null) return line with { Hash = hash };
        }

        using var content = CopiedFile.Open(file, status);
        var pack = await PackAsync(cancellationToken);
        var member = await pack.AddAsync(content, status.Size, content.Sparse, cancellationToken);
        line = line with { Hash = content.Finish(), Pack = pack.Number, Member = member };
        var after = HostPath.Status((int)file.DangerousGetHandle());
        if (content.Shrank || after.Modified != status.Modified || after.Size != status.Size)
        {
            Notes.Add(line.Path, content.Shrank ? "was cut off while it was read: what was missing came as zeros" : "was written to while it was read");
            line = line with { Changed = default };
        }

        return await KeptAsync(line, pack);
    }

    private async Task<IndexLine> SmallAsync(IndexLine line, SafeFileHandle file, FileStatus status, CancellationToken cancellationToken)
    {
        var buffer = new byte[status.Size];
        var count = 0;
        for (int read; count < buffer.Length && (read = RandomAccess.Read(file, buffer.AsSpan(count), count)) > 0;) count += read;
        if (count < buffer.Length) Notes.Add(line.Path, "was cut off while it was read");

        var hash = Convert.ToHexStringLower(SHA256.HashData(buffer.AsSpan(0, count)));
        line = line with { Size = count, Hash = hash, Changed = count < buffer.Length ? default : line.Changed };
        if (count == 0 || _writer is null) return line;
        if (_known.Find(hash) is { } place) return line with { Pack = place.Pack, Member = place.Member };

        var pack = await PackAsync(cancellationToken);
        using var content = new MemoryStream(buffer, 0, count, writable: false);
        return await KeptAsync(line with { Pack = pack.Number, Member = await pack.AddAsync(content, count, sparse: false, cancellationToken) }, pack);
    }

    private async Task<IndexLine> KeptAsync(IndexLine line, OpenPack pack)
    {
        Copied += line.Size;
        _known.Add(line.Hash, line.Pack, line.Member);
        if (pack.Bytes >= PackBytes || pack.Members >= PackMembers) await ClosePackAsync();
        return line;
    }

    private async Task<OpenPack> PackAsync(CancellationToken cancellationToken)
    {
        if (_pack is { } open) return open;
        if (_writer is null) throw new InvalidOperationException("A look keeps nothing.");

        _pack = await OpenPack.StartAsync(_nextPack++, _writer, PackName(), cancellationToken);
        _known.Begin(_pack.Number, _pack.Name);
        return _pack;
    }

    private async Task ClosePackAsync()
    {
        if (_pack is not { } pack) return;

        var stored = await pack.CloseAsync();
        _known.Add(new VolumePack(pack.Number, pack.Name, stored));
        _pack = null;
    }

    private string PackName() => string.Create(CultureInfo.InvariantCulture, $"{_name}/{Guid.CreateVersion7():n}.tar");
}
