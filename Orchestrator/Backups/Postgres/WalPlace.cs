namespace Orchestrator.Backups.Postgres;

/// <summary>Where one cluster's log, on one timeline, is written here and is sent on from. One at a time sends.</summary>
internal sealed class WalPlace(string systemIdentifier, long segmentSize, LocalLog log, WalUpload upload) : IDisposable
{
    /// <summary>
    /// A commit's time is taken a moment before its record is written, and the server's clock a moment after it looked for what to send: so much earlier
    /// than that clock is what surely lies before.
    /// </summary>
    private static readonly TimeSpan Doubt = TimeSpan.FromSeconds(1);

    private readonly SemaphoreSlim _sending = new(1);
    private readonly Lock _gate = new();
    private readonly LinkedList<(Lsn At, DateTimeOffset Clock)> _marks = [];

    public string SystemIdentifier => systemIdentifier;

    public long SegmentSize => segmentSize;

    public uint Timeline => log.Timeline;

    public LocalLog Log => log;

    public Lsn OffHost => upload.OffHost;

    public long Backlog => Math.Max(0, log.Durable - upload.OffHost);

    /// <summary>At this position we had all that the server had, by its clock.</summary>
    public void Mark(Lsn at, DateTimeOffset clock)
    {
        lock (_gate)
        {
            if (_marks.Last is { Value: var last } && last.At == at) _marks.RemoveLast();
            _marks.AddLast((at, clock));
        }
    }

    /// <summary>Sends what is on the disk here, until there is no more.</summary>
    public async Task SendAsync(long most, CancellationToken cancellationToken)
    {
        await _sending.WaitAsync(cancellationToken);
        try
        {
            while (await upload.SendAsync(log, log.Durable, most, Through, cancellationToken))
                cancellationToken.ThrowIfCancellationRequested();
        }
        finally
        {
            _sending.Release();
        }
    }

    public void Dispose()
    {
        log.Dispose();
        _sending.Dispose();
    }

    private DateTimeOffset? Through(Lsn end)
    {
        lock (_gate)
        {
            // Only the newest one up to there is of use, now and later.
            while (_marks.First is { Next.Value.At: var next } && next <= end) _marks.RemoveFirst();
            return _marks.First is { Value: var mark } && mark.At <= end ? mark.Clock - Doubt : null;
        }
    }
}
