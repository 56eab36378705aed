using ZstdSharp;

namespace Orchestrator.Backups.Pipeline;

/// <summary>
/// Content that comes as a frame of zstd, and is stored as that. Whoever reads it gets what the frame holds, and what it came as is passed on by that. So a frame
/// that is cut, or is none, is noticed before it is published.
/// </summary>
public sealed class CompressedContent : IDisposable
{
    private readonly Stream _output;
    private DecompressionStream? _frame;

    /// <param name="output">Takes the frame; left open.</param>
    internal CompressedContent(Stream output) => _output = output;

    /// <summary>What has been read of it; null: it has not been opened.</summary>
    internal CountedStream? Plain { get; private set; }

    /// <summary>To be read to its end, once, and to be left open.</summary>
    /// <param name="frame">Left open.</param>
    /// <param name="cancellationToken">Looked at after each read of the frame: one that waits may be woken by a byte that is none of it.</param>
    /// <exception cref="InvalidDataException">Of the stream that is returned: it is no frame of zstd, or a broken one.</exception>
    /// <exception cref="EndOfStreamException">Of the stream that is returned: the frame is cut.</exception>
    public Stream Open(Stream frame, CancellationToken cancellationToken)
    {
        if (Plain is not null) throw new InvalidOperationException("It comes in one piece.");

        _frame = new DecompressionStream(new PassingStream(frame, _output, cancellationToken), checkEndOfStream: true);
        return Plain = new UnpackedStream(_frame);
    }

    public void Dispose()
    {
        Plain?.Dispose();
        _frame?.Dispose();
    }

    private sealed class UnpackedStream(Stream frame) : CountedStream(frame)
    {
        public override int Read(Span<byte> buffer)
        {
            try
            {
                return base.Read(buffer);
            }
            catch (ZstdException broken)
            {
                throw Broken(broken);
            }
        }

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            try
            {
                return await base.ReadAsync(buffer, cancellationToken);
            }
            catch (ZstdException broken)
            {
                throw Broken(broken);
            }
        }

        private static InvalidDataException Broken(ZstdException broken) => new($"this is no frame of zstd, or a broken one: {broken.Message}", broken);
    }

    private sealed class PassingStream(Stream inner, Stream output, CancellationToken cancellationToken) : CountedStream(inner)
    {
        protected override void Measure(ReadOnlySpan<byte> buffer)
        {
            cancellationToken.ThrowIfCancellationRequested();
            output.Write(buffer);
            base.Measure(buffer);
        }
    }
}
