using System.IO.Pipelines;
using ZstdSharp;

namespace Orchestrator.Backups.Pipeline;

/// <summary>
/// Content that comes as a frame of zstd, and is stored as that. Whoever reads it gets what the frame holds; what it came as is passed on meanwhile, by a
/// thread of its own. So a frame that is broken or has no end is noticed before it is published.
/// </summary>
public sealed class CompressedContent : IAsyncDisposable
{
    private const int Piece = 256 * 1024;

    /// <summary>Between the two threads; bytes.</summary>
    private const int Ahead = 8 * Piece;

    private readonly Stream _output;
    // Woken on the other's thread: both do nothing else, and wait for nothing but each other.
    private readonly Pipe _between = new(new PipeOptions(
        readerScheduler: PipeScheduler.Inline, writerScheduler: PipeScheduler.Inline, pauseWriterThreshold: Ahead, resumeWriterThreshold: Ahead / 2, minimumSegmentSize: Piece, useSynchronizationContext: false));

    private DecompressionStream? _frame;
    private Task _passing = Task.CompletedTask;

    /// <param name="output">Takes the frame; left open.</param>
    internal CompressedContent(Stream output) => _output = output;

    /// <summary>What has been read of it; null: it has not been opened.</summary>
    internal CountedStream? Plain { get; private set; }

    /// <summary>To be read to its end, once, on a thread that may be blocked, and to be left open.</summary>
    /// <param name="frame">Left open. Not read any more when the content that is returned has been read to its end.</param>
    /// <exception cref="ZstdException">Of the stream that is returned: it is no frame of zstd.</exception>
    /// <exception cref="EndOfStreamException">Of the stream that is returned: the frame is cut.</exception>
    public Stream Open(Stream frame)
    {
        if (Plain is not null) throw new InvalidOperationException("It comes in one piece.");

        _passing = Task.Factory.StartNew(() => Pass(frame), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        _frame = new DecompressionStream(_between.Reader.AsStream(), checkEndOfStream: true, leaveOpen: false);
        return Plain = new CountedStream(_frame);
    }

    /// <summary>Waits for what is being passed on: who has opened it lets its frame end.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Plain is not null) await Plain.DisposeAsync();
        if (_frame is not null) await _frame.DisposeAsync();
        await _between.Reader.CompleteAsync();
        await _passing;
    }

    private void Pass(Stream frame)
    {
        try
        {
            int read;
            do
            {
                var room = _between.Writer.GetMemory(Piece);
                read = frame.Read(room.Span);
                _output.Write(room.Span[..read]);
                _between.Writer.Advance(read);
            }
            while (read > 0 && !Flush());

            _between.Writer.Complete();
        }
        catch (Exception failure)
        {
            _between.Writer.Complete(failure);      // thrown to who reads
        }
    }

    /// <returns>Whether nobody reads any more.</returns>
    private bool Flush()
    {
        var flushing = _between.Writer.FlushAsync();
        return (flushing.IsCompleted ? flushing.Result : flushing.AsTask().GetAwaiter().GetResult()).IsCompleted;
    }
}
