namespace Orchestrator.Backups.Stores;

/// <summary>An object as it comes. A connection that breaks off is taken up where it broke, three times in a row at most.</summary>
/// <param name="open">Opens the object from an offset on.</param>
/// <param name="bytes">Size of the object: an answer that ends earlier was cut.</param>
internal sealed class S3ReadStream(Func<long, CancellationToken, Task<Stream>> open, string store, string key, long offset, long bytes) : Stream
{
    private const int Attempts = 3;

    private Stream? _opened;
    private long _position = offset;
    private int _failures;

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position { get => _position; set => throw new NotSupportedException(); }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        while (_position < bytes && buffer.Length > 0)
        {
            _opened ??= await open(_position, cancellationToken);
            if (await TryReadAsync(_opened, buffer, cancellationToken) is { } count) return count;

            await _opened.DisposeAsync();
            _opened = null;
        }

        return 0;
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override int Read(byte[] buffer, int offset, int count) => ReadAsync(buffer.AsMemory(offset, count), CancellationToken.None).AsTask().GetAwaiter().GetResult();

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing) _opened?.Dispose();
        base.Dispose(disposing);
    }

    /// <returns>Null when the connection is to be made anew.</returns>
    private async Task<int?> TryReadAsync(Stream opened, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        var reason = "the answer ended early";
        Exception? cause = null;
        try
        {
            var count = await opened.ReadAsync(buffer[..(int)Math.Min(buffer.Length, bytes - _position)], cancellationToken);
            _position += count;
            if (count > 0)
            {
                _failures = 0;
                return count;
            }
        }
        catch (Exception failure) when (S3Calls.IsOfServer(failure, cancellationToken))
        {
            (reason, cause) = (S3Calls.Describe(failure), failure);
        }

        return ++_failures < Attempts ? null : throw new BackupStoreException(store, $"{key} breaks off at byte {_position} of {bytes}: {reason}", cause);
    }
}
