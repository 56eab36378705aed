namespace Orchestrator.Traffic;

/// <summary>
/// The application's side of an event stream that passes through, and can be asked to end: after a whole event the client sees the stream complete, in
/// good order, on which event sources come back by themselves, to the new colour.
/// </summary>
internal sealed class EventStreamSession : Stream
{
    private readonly Stream _inner;
    private readonly Upstream _upstream;
    private readonly OpenStreams _streams;
    private readonly EventBoundary _boundary = new();
    private readonly CancellationTokenSource _ending = new();
    private readonly Lock _gate = new();
    private CancellationTokenSource? _either;
    private bool _asked;

    /// <param name="replica">The place of the replica that it comes from.</param>
    public EventStreamSession(Stream inner, Upstream upstream, int replica, OpenStreams streams)
    {
        _inner = inner;
        _upstream = upstream;
        Replica = replica;
        _streams = streams;
        streams.Attach(this);
        upstream.Attach(this);
    }

    private bool Ended
    {
        get
        {
            lock (_gate)
                return _ending.IsCancellationRequested || (_asked && _boundary.Reached);
        }
    }

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    /// <summary>The place of the replica that it comes from.</summary>
    public int Replica { get; }

    /// <summary>It was asked to end.</summary>
    public bool Asked => Volatile.Read(ref _asked);

    /// <summary>Ends the stream as soon as an event ends: now, if the application is between two.</summary>
    public void End()
    {
        lock (_gate)
        {
            _asked = true;
            if (!_boundary.Reached)
                return;
        }

        _ending.Cancel();
    }

    /// <summary>Ends the stream where it is; a client forgets what it has of an event that is not complete.</summary>
    public void EndNow()
    {
        lock (_gate)
            _asked = true;
        _ending.Cancel();
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (Ended)
            return 0;

        // All reads of a response come with the same token.
        _either ??= CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _ending.Token);
        try
        {
            var read = await _inner.ReadAsync(buffer, _either.Token);
            return Pass(buffer.Span[..read]);
        }
        catch (OperationCanceledException) when (_ending.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            return 0;
        }
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override void Flush() => throw new NotSupportedException();

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _upstream.Detach(this);
            _streams.Detach(this);
            _inner.Dispose();
            _either?.Dispose();
        }

        base.Dispose(disposing);
    }

    // What comes after the last whole event is not for this client any more. After a stream that was asked to end nothing passes: zero is its end.
    private int Pass(ReadOnlySpan<byte> bytes)
    {
        lock (_gate)
            return _boundary.Advance(bytes, toBoundary: _asked);
    }
}
