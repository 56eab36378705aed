using System.Collections.Immutable;

namespace Orchestrator.Backups.Pipeline;

/// <summary>
/// Sends what is written into it to several stores at once. Memory is bounded by the queues of the lanes. A store that fails is left behind; with the
/// last one, writing fails.
/// </summary>
/// <param name="stopping">Ends the waiting of who writes without a token of its own.</param>
internal sealed class StoreTee(ImmutableArray<StoreLane> lanes, CancellationToken stopping) : Stream
{
    private TeeBlock? _block;
    private bool _closed;

    public override bool CanRead => false;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    private IEnumerable<StoreLane> Live => lanes.Where(lane => lane.Failure is null);

    /// <summary>From here on everything is dropped: what was begun is going to be discarded.</summary>
    public void Abandon() => _closed = true;

    public async Task CompleteAsync(CancellationToken cancellationToken)
    {
        if (_block is { Length: > 0 }) await SendAsync(cancellationToken);
        _closed = true;
        await Task.WhenAll(lanes.Select(lane => lane.CompleteAsync(cancellationToken)));
    }

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        while (buffer.Length > 0 && !_closed)
        {
            var count = Fill(buffer.Span);
            buffer = buffer[count..];
            if (_block is { Length: TeeBlock.Size }) await SendAsync(cancellationToken.CanBeCanceled ? cancellationToken : stopping);
        }
    }

    /// <summary>Waits for the slowest store on the caller's thread, where need be.</summary>
    public override void Write(ReadOnlySpan<byte> buffer)
    {
        while (buffer.Length > 0 && !_closed)
        {
            var count = Fill(buffer);
            buffer = buffer[count..];
            if (_block is { Length: TeeBlock.Size }) SendAsync(stopping).GetAwaiter().GetResult();
        }
    }

    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override void Flush()
    {
    }

    public override Task FlushAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    private int Fill(ReadOnlySpan<byte> buffer)
    {
        _block ??= new TeeBlock(lanes.Length);
        var count = Math.Min(buffer.Length, TeeBlock.Size - _block.Length);
        buffer[..count].CopyTo(_block.Buffer.AsSpan(_block.Length));
        _block.Length += count;
        return count;
    }

    private async Task SendAsync(CancellationToken cancellationToken)
    {
        if (_block is not { } block) return;

        _block = null;
        foreach (var lane in lanes)
        {
            if (lane.Failure is null) await lane.SendAsync(block, cancellationToken);
            else block.Release();
        }

        if (!Live.Any()) throw NoStore();
    }

    private BackupFailedException NoStore() => new(
        $"No store takes it: {string.Join("; ", lanes.Select(lane => $"{lane.Store.Name}: {lane.Failure?.Message}"))}.",
        "Nothing was kept. Mend the stores, or add another, and run the backup again.");
}
