using System.Globalization;
using System.Text;

namespace Orchestrator.Backups.Redis;

/// <summary>
/// The file within a replication connection, without what frames it: <c>$LENGTH</c>, or <c>$EOF:MARK</c> where the server does not know the length yet
/// and ends with the forty characters of the mark. Reads never go past its end.
/// </summary>
internal sealed class RdbPayload : Stream
{
    public const int MarkLength = 40;

    private readonly RedisConnection _connection;
    private readonly byte[]? _mark;
    private readonly byte[] _held = new byte[MarkLength];
    private readonly byte[] _joined = new byte[64 * 1024];
    private int _heldCount;
    private long _left;
    private bool _ended;

    private RdbPayload(RedisConnection connection, byte[]? mark, long left)
    {
        _connection = connection;
        _mark = mark;
        _left = left;
    }

    /// <summary>Size of the file; null: not known before its end.</summary>
    public long? Size => _mark is null ? _left : null;

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    /// <summary>Waits for the file's first line; the server sends empty lines while it forks.</summary>
    public static async Task<RdbPayload> OpenAsync(RedisConnection connection, CancellationToken cancellationToken)
    {
        var head = "";
        while (head.Length == 0) head = await connection.LineAsync(cancellationToken);
        if (head.StartsWith('-')) throw RedisException.Of("PSYNC", new RedisReply.Refusal(head[1..]));
        if (head.StartsWith("$EOF:", StringComparison.Ordinal) && head.Length == 5 + MarkLength) return new(connection, Encoding.ASCII.GetBytes(head[5..]), 0);
        if (head[0] == '$' && long.TryParse(head.AsSpan(1), NumberStyles.None, CultureInfo.InvariantCulture, out var length)) return new(connection, null, length);

        throw new RedisException(RedisFault.Protocol, $"Redis announced its file with '{head[..Math.Min(head.Length, 60)]}'", null);
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (_ended || buffer.Length == 0) return 0;
        if (_mark is not null) return await ReadMarkedAsync(_mark, buffer, cancellationToken);
        if (_left == 0) return 0;

        var count = await _connection.ReadAsync(buffer[..(int)Math.Min(buffer.Length, _left)], cancellationToken);
        if (count == 0) throw RedisException.Broken(null);
        _left -= count;
        return count;
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) => ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException("asynchronously only");

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    /// <summary>
    /// The last forty bytes are always held back, since they may be the mark. The server sends nothing behind it before it is answered, so the mark is
    /// found where what has come ends with it, as Redis's own replicas find it.
    /// </summary>
    private async ValueTask<int> ReadMarkedAsync(byte[] mark, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        while (true)
        {
            _held.AsSpan(0, _heldCount).CopyTo(_joined);
            var most = Math.Min(_joined.Length - _heldCount, buffer.Length);
            var count = await _connection.ReadAsync(_joined.AsMemory(_heldCount, most), cancellationToken);
            if (count == 0) throw RedisException.Broken(null);

            var total = _heldCount + count;
            _ended = total >= MarkLength && _joined.AsSpan(total - MarkLength, MarkLength).SequenceEqual(mark);
            _heldCount = Math.Min(total, MarkLength);
            _joined.AsSpan(total - _heldCount, _heldCount).CopyTo(_held);
            var free = total - _heldCount;
            _joined.AsMemory(0, free).CopyTo(buffer);
            if (free > 0 || _ended) return free;
        }
    }
}
