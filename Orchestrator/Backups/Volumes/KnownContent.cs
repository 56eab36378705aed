using System.Globalization;
using Orchestrator.Backups.Pipeline;

namespace Orchestrator.Backups.Volumes;

/// <summary>
/// What the last backup of a volume left in the stores: which pack has which content, and what each file looked like. A pack that is not whole in every
/// store any more, or of which less than half is still wanted, is not known: its files are copied again.
/// </summary>
internal sealed class KnownContent : IDisposable
{
    private readonly Dictionary<UInt128, (int Pack, int Member)> _places = [];
    private readonly Dictionary<int, VolumePack> _packs = [];
    private readonly Dictionary<int, long> _wanted = [];
    private StreamReader? _lines;
    private IndexLine? _next;

    /// <summary>Of all files together; 0: there was no backup yet.</summary>
    public long Bytes { get; private set; }

    public bool Any => _packs.Count > 0;

    /// <summary>How many backups ago everything was read.</summary>
    public int Round { get; private set; }

    /// <summary>Above every number that the last index used, also of packs that are not known any more.</summary>
    public int NextPack { get; private set; }

    public IReadOnlyDictionary<int, VolumePack> Packs => _packs;

    public static async Task<KnownContent> LoadAsync(string path, BackupWriter writer, CancellationToken cancellationToken)
    {
        var known = new KnownContent();
        if (!File.Exists(path)) return known;

        try
        {
            await known.ReadAsync(path, cancellationToken);
            foreach (var pack in known._packs.Values.ToList())
            {
                var wasted = known._wanted.GetValueOrDefault(pack.Number) < pack.Stored.PlainBytes / 2;
                if (wasted || await writer.FindAsync(pack.Name, pack.Stored.PlainHash, cancellationToken) is null) known._packs.Remove(pack.Number);
            }

            known._lines = new StreamReader(path);
            return known;
        }
        catch (Exception damaged) when (damaged is FormatException or OverflowException or ArgumentException or IndexOutOfRangeException)
        {
            // Only a shortcut was lost: without it everything is copied.
            known.Dispose();
            return new KnownContent();
        }
    }

    public (int Pack, int Member)? Find(string hash) => _places.TryGetValue(Short(hash), out var place) && _packs.ContainsKey(place.Pack) ? place : null;

    public void Add(string hash, int pack, int member) => _places[Short(hash)] = (pack, member);

    public void Add(VolumePack pack) => _packs[pack.Number] = pack;

    /// <summary>The pack is being written, so its content counts as known.</summary>
    public void Begin(int pack, string name) => _packs[pack] = new(pack, name, new("", 0, "", 0, ""));

    /// <summary>What was at the path; paths must be asked for in the order of the walk.</summary>
    /// <returns>Null when there was nothing, or its content is not known any more.</returns>
    public IndexLine? At(byte[] path)
    {
        while (_lines is not null && (_next is null || IndexLine.Compare(_next.Path, path) < 0))
        {
            _next = Next();
            if (_next is null) break;
        }

        return _next is not null && _next.Path.AsSpan().SequenceEqual(path) && (_next.Pack < 0 || _packs.ContainsKey(_next.Pack)) ? _next : null;
    }

    public void Dispose()
    {
        _lines?.Dispose();
        _lines = null;
    }

    private async Task ReadAsync(string path, CancellationToken cancellationToken)
    {
        await foreach (var line in File.ReadLinesAsync(path, cancellationToken))
        {
            if (VolumeRecord.IsEntry(line))
            {
                var entry = IndexLine.Read(line);
                Bytes += entry.Size;
                if (entry.Pack < 0) continue;
                if (_places.TryAdd(Short(entry.Hash), (entry.Pack, entry.Member))) _wanted[entry.Pack] = _wanted.GetValueOrDefault(entry.Pack) + entry.Size + 512;
            }
            else if (VolumeRecord.TryReadPack(line) is { } pack)
            {
                _packs[pack.Number] = pack;
                NextPack = Math.Max(NextPack, pack.Number + 1);
            }
            else if (VolumeRecord.TryReadRound(line) is { } round)
            {
                Round = round;
            }
        }
    }

    private IndexLine? Next()
    {
        while (_lines?.ReadLine() is { } line)
        {
            if (VolumeRecord.IsEntry(line)) return IndexLine.Read(line);
        }

        Dispose();
        return null;
    }

    /// <summary>Half of a SHA-256 tells contents apart, and half of the memory.</summary>
    private static UInt128 Short(string hash) => UInt128.Parse(hash.AsSpan(0, 32), NumberStyles.HexNumber, CultureInfo.InvariantCulture);
}
