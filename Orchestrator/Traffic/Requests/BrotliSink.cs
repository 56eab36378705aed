using System.Buffers;
using System.IO.Compression;

namespace Orchestrator.Traffic.Requests;

/// <summary>
/// Compresses what is written to it. The framework's stream takes a window of 4 MiB for each response, which is too much to give to everybody who
/// asks; 256 KiB compress pages as well.
/// </summary>
internal sealed class BrotliSink(Stream target) : Stream
{
    private const int Quality = 4;
    private const int WindowBits = 18;

    private readonly byte[] _buffer = ArrayPool<byte>.Shared.Rent(16 * 1024);
    private BrotliEncoder _encoder = new(Quality, WindowBits);
    private bool _ended;

    public override bool CanRead => false;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        while (!buffer.IsEmpty)
        {
            _encoder.Compress(buffer.Span, _buffer, out var consumed, out var written, isFinalBlock: false);
            buffer = buffer[consumed..];
            if (written > 0)
                await target.WriteAsync(_buffer.AsMemory(0, written), cancellationToken);
        }
    }

    public override async Task FlushAsync(CancellationToken cancellationToken)
    {
        OperationStatus status;
        do
        {
            status = _encoder.Flush(_buffer, out var written);
            if (written > 0)
                await target.WriteAsync(_buffer.AsMemory(0, written), cancellationToken);
        }
        while (status is OperationStatus.DestinationTooSmall);
        await target.FlushAsync(cancellationToken);
    }

    /// <summary>Writes what makes the compressed body whole.</summary>
    public async Task EndAsync(CancellationToken cancellationToken)
    {
        OperationStatus status;
        do
        {
            status = _encoder.Compress([], _buffer, out _, out var written, isFinalBlock: true);
            if (written > 0)
                await target.WriteAsync(_buffer.AsMemory(0, written), cancellationToken);
        }
        while (status is OperationStatus.DestinationTooSmall);
    }

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override void Flush() => throw new NotSupportedException();

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing && !_ended)
        {
            _ended = true;
            _encoder.Dispose();
            ArrayPool<byte>.Shared.Return(_buffer);
        }

        base.Dispose(disposing);
    }
}
