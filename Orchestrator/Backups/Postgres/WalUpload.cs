using System.Collections.Immutable;

namespace Orchestrator.Backups.Postgres;

/// <summary>
/// Sends what is on the disk to the stores, in slices while a segment grows, and then once more as a whole that replaces them: few objects, and never more
/// than some seconds that exist on this host only.
/// </summary>
internal sealed class WalUpload
{
    /// <summary>A quiet server writes a few hundred bytes a minute: its slices are put together now and then, so that they do not become thousands.</summary>
    private const int MostSlices = 64;

    private readonly WalStores _stores;
    private readonly string _systemIdentifier;
    private readonly long _segmentSize;
    private readonly List<WalPiece> _slices;
    private readonly List<WalPiece> _superfluous;

    /// <param name="stored">What the stores have of this cluster.</param>
    /// <param name="start">Where receiving began.</param>
    public WalUpload(WalStores stores, string systemIdentifier, long segmentSize, uint timeline, IReadOnlyList<WalPiece> stored, Lsn start)
    {
        _stores = stores;
        _systemIdentifier = systemIdentifier;
        _segmentSize = segmentSize;
        Timeline = timeline;
        OffHost = WalChain.Cover(stored, new(timeline, start, null)).Reached;
        _superfluous = [.. stored.Where(piece => stored.Any(other => other.Timeline == piece.Timeline && other.Start <= piece.Start && other.End >= piece.End && other.Bytes > piece.Bytes))];
        _slices = [.. stored.Where(piece => piece.Timeline == timeline && piece.Bytes < segmentSize).Except(_superfluous).OrderBy(piece => piece.Start)];
    }

    public uint Timeline { get; }

    /// <summary>Up to here the stores have all of it.</summary>
    public Lsn OffHost { get; private set; }

    /// <summary>Sends the next piece.</summary>
    /// <param name="until">Up to where it is on the disk.</param>
    /// <param name="most">The longest slice, in bytes.</param>
    /// <param name="through">The server's clock at the newest position up to <paramref name="until"/> at which we had all; null: unknown.</param>
    /// <returns>False: there was nothing to send.</returns>
    public async Task<bool> SendAsync(LocalLog log, Lsn until, long most, Func<Lsn, DateTimeOffset?> through, CancellationToken cancellationToken)
    {
        if (OffHost >= until) return false;

        await TidyAsync(cancellationToken);
        var start = OffHost.SegmentStart(_segmentSize);
        var end = Lsn.Min(until, start + _segmentSize);
        // A whole segment goes at once.
        if (OffHost > start || end < start + _segmentSize) end = Lsn.Min(end, OffHost + most);
        var piece = await StoreAsync(log, OffHost, end, through(end), cancellationToken);
        OffHost = end;
        if (piece.Bytes < _segmentSize) _slices.Add(piece);
        await MergeAsync(log, start, through, cancellationToken);
        return true;
    }

    /// <summary>Slices whose whole was stored just before an earlier process ended.</summary>
    private async Task TidyAsync(CancellationToken cancellationToken)
    {
        foreach (var piece in _superfluous.ToList())
        {
            await _stores.Delete(piece.Key, cancellationToken);
            _superfluous.Remove(piece);
        }
    }

    private async Task MergeAsync(LocalLog log, Lsn start, Func<Lsn, DateTimeOffset?> through, CancellationToken cancellationToken)
    {
        var whole = OffHost == start + _segmentSize;
        var replaced = _slices.Where(piece => piece.Start >= start && piece.End <= OffHost).ToImmutableArray();
        if (replaced.Length > 1 && (whole || replaced.Length >= MostSlices))
        {
            var merged = await StoreAsync(log, start, OffHost, through(OffHost) ?? replaced.Max(piece => piece.Through), cancellationToken);
            foreach (var slice in replaced.Where(slice => slice.Key != merged.Key)) await _stores.Delete(slice.Key, cancellationToken);
            _slices.RemoveAll(replaced.Contains);
            if (!whole) _slices.Add(merged);
        }

        if (whole) log.Remove(OffHost);
    }

    private async Task<WalPiece> StoreAsync(LocalLog log, Lsn from, Lsn to, DateTimeOffset? through, CancellationToken cancellationToken)
    {
        var name = WalPiece.NameOf(_systemIdentifier, Timeline, from, to, through);
        var stored = await _stores.Writer.WriteAsync(
            name,
            async (output, token) =>
            {
                await using var content = log.Read(from, to);
                await content.CopyToAsync(output, 256 * 1024, token);
            },
            cancellationToken);
        return new(stored.Key, Timeline, from, to, through);
    }
}
