namespace Orchestrator.Traffic;

/// <summary>The client's side of an upgraded connection: reads pass through; writes are followed frame by frame, so that a close frame can go between.</summary>
internal sealed class ClientSocketStream(Stream inner) : Stream
{
    // FIN and opcode 8; 2 bytes of payload, not masked, as servers send; 1012 in network order.
    private static readonly byte[] ServiceRestart = [0x88, 0x02, 1012 >> 8, 1012 & 0xFF];

    private readonly SemaphoreSlim _writing = new(1, 1);
    private readonly WebSocketFrames _frames = new();
    private volatile bool _closeAsked;
    private volatile bool _closed;

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    /// <summary>Sends the close frame as soon as a frame ends; if the application is in the middle of one, its next write does it.</summary>
    public async Task CloseAsync(CancellationToken cancellationToken)
    {
        _closeAsked = true;
        try
        {
            await CloseAtBoundaryAsync(cancellationToken);
        }
        catch (Exception exception) when (exception is IOException or OperationCanceledException or ObjectDisposedException)
        {
            // The client has left before it could be asked to: what was wanted.
            _closed = true;
        }
    }

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        await _writing.WaitAsync(cancellationToken);
        try
        {
            // Nothing may follow a close frame; what the application still says is not for this client any more.
            if (_closed)
                return;

            var closing = _closeAsked;
            var length = closing && _frames.AtBoundary ? 0 : _frames.Advance(buffer.Span, toBoundary: closing);
            await inner.WriteAsync(buffer[..length], cancellationToken);
        }
        finally
        {
            _writing.Release();
        }

        // After the release, or a close that was asked for in between would find the gate shut and nobody would send it.
        if (_closeAsked)
            await CloseAtBoundaryAsync(cancellationToken);
    }

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) => inner.ReadAsync(buffer, cancellationToken);

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        inner.ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override Task FlushAsync(CancellationToken cancellationToken) => inner.FlushAsync(cancellationToken);

    public override void Flush() => throw new NotSupportedException();

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing)
            inner.Dispose();
        base.Dispose(disposing);
    }

    private async Task CloseAtBoundaryAsync(CancellationToken cancellationToken)
    {
        await _writing.WaitAsync(cancellationToken);
        try
        {
            if (_closed || !_frames.AtBoundary)
                return;

            _closed = true;
            if (_frames.SawClose)
                return;

            await inner.WriteAsync(ServiceRestart, cancellationToken);
            await inner.FlushAsync(cancellationToken);
        }
        finally
        {
            _writing.Release();
        }
    }
}
