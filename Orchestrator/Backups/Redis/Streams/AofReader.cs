using System.Buffers.Text;

namespace Orchestrator.Backups.Redis.Streams;

/// <summary>
/// Reads commands, and the remarks between them, from a stream: a replication connection, an append-only file. Gives each as the bytes that it is, so that they
/// are written on as they came.
/// </summary>
internal sealed class AofReader(Func<Memory<byte>, CancellationToken, ValueTask<int>> read)
{
    private const int LongestCount = 1024 * 1024 * 1024;

    private const int SmallestBuffer = 64 * 1024;
    private const int LargestIdle = 4 * 1024 * 1024;

    private byte[] _buffer = new byte[SmallestBuffer];
    private int _start;
    private int _filled;
    private int _cursor;

    /// <summary>The bytes of what was read last; valid until the next.</summary>
    public ReadOnlyMemory<byte> Bytes => _buffer.AsMemory(_start, _cursor - _start);

    /// <summary>Of a command: its name, in upper case. Of a remark: the line, from its number sign on.</summary>
    public string Text { get; private set; } = "";

    /// <summary>True when more can be read without waiting.</summary>
    public bool HasMore => _filled > _cursor;

    /// <returns>End also where a command begins that was never finished.</returns>
    public async ValueTask<AofItem> NextAsync(CancellationToken cancellationToken)
    {
        _start = _cursor;
        if (_buffer.Length > LargestIdle && _filled - _cursor <= SmallestBuffer) Shrink();
        if (!await HasAsync(1, cancellationToken)) return AofItem.End;

        switch (_buffer[_cursor])
        {
            // Redis keeps a connection alive with empty lines; they are not part of its history.
            case (byte)'\n' or (byte)'\r':
                _cursor++;
                return await NextAsync(cancellationToken);
            case (byte)'#':
                if (await LineAsync(cancellationToken) is not { } remark) return AofItem.End;
                Text = System.Text.Encoding.ASCII.GetString(_buffer, remark.Start, remark.Length);
                return AofItem.Remark;
            case (byte)'*':
                return await CommandAsync(cancellationToken) ? AofItem.Command : AofItem.End;
            case var other:
                throw new RedisException(RedisFault.Protocol, $"A command begins with the byte 0x{other:x2}: the stream is damaged, or is none of Redis", null);
        }
    }

    private async ValueTask<bool> CommandAsync(CancellationToken cancellationToken)
    {
        if (await CountAsync(cancellationToken) is not { } arguments) return false;

        for (var index = 0; index < arguments; index++)
        {
            if (await CountAsync(cancellationToken) is not { } length || !await HasAsync(length + 2, cancellationToken)) return false;
            if (index == 0) Text = System.Text.Encoding.ASCII.GetString(_buffer, _cursor, Math.Min(length, 64)).ToUpperInvariant();
            _cursor += length + 2;
        }

        return true;
    }

    /// <summary>The number behind a star or a dollar sign.</summary>
    private async ValueTask<int?> CountAsync(CancellationToken cancellationToken)
    {
        if (await LineAsync(cancellationToken) is not { } line) return null;

        var digits = _buffer.AsSpan(line.Start + 1, Math.Max(0, line.Length - 1));
        return Utf8Parser.TryParse(digits, out int count, out var used) && used == digits.Length && count is >= 0 and <= LongestCount
            ? count
            : throw new RedisException(RedisFault.Protocol, "A command says a length that is none: the stream is damaged, or is none of Redis", null);
    }

    private async ValueTask<(int Start, int Length)?> LineAsync(CancellationToken cancellationToken)
    {
        for (var searched = 0; ;)
        {
            var at = _buffer.AsSpan(_cursor + searched, _filled - _cursor - searched).IndexOf((byte)'\n');
            if (at >= 0)
            {
                // Behind a fill the line may lie elsewhere: its place is told from where it ends.
                var (start, length) = (_cursor, searched + at);
                _cursor += length + 1;
                return (start, length > 0 && _buffer[start + length - 1] == '\r' ? length - 1 : length);
            }

            searched = _filled - _cursor;
            if (searched > 64 * 1024) throw new RedisException(RedisFault.Protocol, "A line without end: the stream is damaged, or is none of Redis", null);
            if (!await FillAsync(cancellationToken)) return null;
        }
    }

    private async ValueTask<bool> HasAsync(int count, CancellationToken cancellationToken)
    {
        while (_filled - _cursor < count)
        {
            if (_buffer.Length - _start < (_cursor - _start) + count) Grow((_cursor - _start) + count);
            if (!await FillAsync(cancellationToken)) return false;
        }

        return true;
    }

    private async ValueTask<bool> FillAsync(CancellationToken cancellationToken)
    {
        if (_start > 0)
        {
            Buffer.BlockCopy(_buffer, _start, _buffer, 0, _filled - _start);
            (_filled, _cursor, _start) = (_filled - _start, _cursor - _start, 0);
        }

        if (_filled == _buffer.Length) Grow(_buffer.Length * 2);
        var count = await read(_buffer.AsMemory(_filled), cancellationToken);
        _filled += count;
        return count > 0;
    }

    /// <summary>One large value long ago is no reason to keep its memory.</summary>
    private void Shrink()
    {
        var smaller = new byte[SmallestBuffer];
        Buffer.BlockCopy(_buffer, _cursor, smaller, 0, _filled - _cursor);
        (_filled, _cursor, _start, _buffer) = (_filled - _cursor, 0, 0, smaller);
    }

    private void Grow(int size)
    {
        var larger = new byte[Math.Max(size, _buffer.Length)];
        Buffer.BlockCopy(_buffer, _start, larger, 0, _filled - _start);
        (_filled, _cursor, _start, _buffer) = (_filled - _start, _cursor - _start, 0, larger);
    }
}

/// <summary>What an <see cref="AofReader"/> came upon.</summary>
internal enum AofItem
{
    End,
    Command,

    /// <summary>A line that Redis does not look at, but its tools do.</summary>
    Remark,
}
