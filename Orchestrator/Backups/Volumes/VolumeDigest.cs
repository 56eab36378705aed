using System.Collections.Immutable;
using System.Globalization;
using System.IO.Hashing;
using System.Text;

namespace Orchestrator.Backups.Volumes;

/// <summary>
/// Fingerprints of a volume: of each name at its top, and of all: <c>entries:bytes:digest</c> over paths, contents and links. Owners, modes and times are
/// restored, but not compared: an image may set them when it starts.
/// </summary>
internal sealed class VolumeDigest(string mount)
{
    private const int MostTops = 64;

    private readonly Dictionary<string, (long Entries, long Bytes, UInt128 Sum)> _tops = new(StringComparer.Ordinal);
    private readonly XxHash128 _hash = new();
    private bool _tooMany;

    public void Add(IndexLine line)
    {
        if (line.Path.Length == 0) return;

        _hash.Reset();
        _hash.Append([(byte)line.Kind]);
        Append(line.Path);
        Append(Encoding.ASCII.GetBytes(line.Hash));
        Append(line.Target);
        var sum = _hash.GetCurrentHashAsUInt128();
        Count(mount, line.Size, sum);
        if (_tooMany) return;

        var end = line.Path.AsSpan().IndexOf((byte)'/');
        Count($"{mount.TrimEnd('/')}/{IndexLine.Escape(end < 0 ? line.Path : line.Path.AsSpan(0, end))}", line.Size, sum);
        if (_tops.Count <= MostTops + 1) return;

        _tooMany = true;
        foreach (var top in _tops.Keys.Where(top => top != mount).ToList()) _tops.Remove(top);
    }

    public IEnumerable<KeyValuePair<string, string>> Fingerprints =>
        _tops.Select(top => KeyValuePair.Create(top.Key, string.Create(CultureInfo.InvariantCulture, $"{top.Value.Entries}:{top.Value.Bytes}:{top.Value.Sum:x32}")))
            .DefaultIfEmpty(KeyValuePair.Create(mount, "0:0:0")).ToImmutableArray();

    private void Count(string name, long size, UInt128 sum)
    {
        var (entries, bytes, before) = _tops.GetValueOrDefault(name);
        _tops[name] = (entries + 1, bytes + size, unchecked(before + sum));
    }

    private void Append(ReadOnlySpan<byte> bytes)
    {
        _hash.Append(BitConverter.GetBytes(bytes.Length));
        _hash.Append(bytes);
    }
}
