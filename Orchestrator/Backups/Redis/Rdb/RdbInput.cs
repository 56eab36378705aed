using System.Buffers.Binary;
using System.Globalization;
using System.IO.Hashing;

namespace Orchestrator.Backups.Redis.Rdb;

/// <summary>
/// Reads an RDB file forwards and hands every byte on as it comes, so that a backup is looked into while it is written. Holds one buffer, and a string
/// whole only where it is compressed or packed.
/// </summary>
/// <param name="copy">Gets all that is read; null: nobody.</param>
internal sealed class RdbInput(Stream source, Stream? copy, CancellationToken cancellationToken)
{
    private const int BufferSize = 256 * 1024;
    private const long LongestString = 512L * 1024 * 1024;

    private readonly byte[] _buffer = new byte[BufferSize];
    private readonly byte[] _number = new byte[256];
    private byte[] _packed = new byte[4096];
    private byte[] _plain = new byte[4096];
    private int _position;
    private int _filled;
    private int _summed;
    private ulong _checksum;

    /// <summary>Bytes taken from the source.</summary>
    public long Bytes { get; private set; }

    /// <summary>CRC-64 of all that was consumed so far.</summary>
    public ulong Checksum
    {
        get
        {
            Sum();
            return _checksum;
        }
    }

    public async ValueTask<byte> ByteAsync()
    {
        if (_position == _filled) await FillAsync();
        return _buffer[_position++];
    }

    /// <summary>Exactly so many bytes, at most a few: valid until the next read.</summary>
    public async ValueTask<ReadOnlyMemory<byte>> FixedAsync(int count)
    {
        if (_filled - _position >= count)
        {
            _position += count;
            return _buffer.AsMemory(_position - count, count);
        }

        await CopyAsync(_number.AsMemory(0, count));
        return _number.AsMemory(0, count);
    }

    /// <summary>A length.</summary>
    public async ValueTask<ulong> LengthAsync()
    {
        var (length, special) = await PrefixAsync();
        return special ? throw new RdbFormatException("a length is wanted where an encoded string is") : length;
    }

    /// <summary>Feeds a string, its length before it, to the hash.</summary>
    public async ValueTask AppendAsync(XxHash128 hash)
    {
        var (length, special) = await PrefixAsync();
        if (special || length <= 4096)
        {
            var whole = await StringAsync(length, special);
            Append(hash, whole.Span);
            return;
        }

        Check(length);
        AppendLength(hash, (long)length);
        for (var left = (long)length; left > 0;)
        {
            if (_position == _filled) await FillAsync();
            var piece = (int)Math.Min(left, _filled - _position);
            hash.Append(_buffer.AsSpan(_position, piece));
            _position += piece;
            left -= piece;
        }
    }

    /// <summary>A string, valid until the next one.</summary>
    public async ValueTask<ReadOnlyMemory<byte>> StringAsync()
    {
        var (length, special) = await PrefixAsync();
        return await StringAsync(length, special);
    }

    public static void Append(XxHash128 hash, ReadOnlySpan<byte> text)
    {
        AppendLength(hash, text.Length);
        hash.Append(text);
    }

    /// <summary>Hands on what is left without looking at it.</summary>
    public async Task DrainAsync()
    {
        _position = _summed = _filled;
        while (await TryFillAsync()) _position = _summed = _filled;
    }

    private static void AppendLength(XxHash128 hash, long length)
    {
        Span<byte> prefix = stackalloc byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(prefix, length);
        hash.Append(prefix);
    }

    private async ValueTask<(ulong Length, bool Special)> PrefixAsync()
    {
        var first = await ByteAsync();
        switch (first >> 6)
        {
            case 0: return ((ulong)(first & 0x3F), false);
            case 1: return ((ulong)(((first & 0x3F) << 8) | await ByteAsync()), false);
            case 3: return ((ulong)(first & 0x3F), true);
            default:
                return first switch
                {
                    0x80 => (BinaryPrimitives.ReadUInt32BigEndian((await FixedAsync(4)).Span), false),
                    0x81 => (BinaryPrimitives.ReadUInt64BigEndian((await FixedAsync(8)).Span), false),
                    _ => throw new RdbFormatException($"a length begins with 0x{first:x2}"),
                };
        }
    }

    private async ValueTask<ReadOnlyMemory<byte>> StringAsync(ulong length, bool special)
    {
        if (!special)
        {
            Check(length);
            if (_plain.Length < (int)length) _plain = new byte[(int)length];
            await CopyAsync(_plain.AsMemory(0, (int)length));
            return _plain.AsMemory(0, (int)length);
        }

        switch (length)
        {
            case 0: return Text((sbyte)await ByteAsync());
            case 1: return Text(BinaryPrimitives.ReadInt16LittleEndian((await FixedAsync(2)).Span));
            case 2: return Text(BinaryPrimitives.ReadInt32LittleEndian((await FixedAsync(4)).Span));
            case 3: return await CompressedAsync();
            default: throw new RdbFormatException($"a string has the encoding {length}");
        }
    }

    private async ValueTask<ReadOnlyMemory<byte>> CompressedAsync()
    {
        var packed = await LengthAsync();
        var plain = await LengthAsync();
        Check(packed);
        Check(plain);
        if (_packed.Length < (int)packed) _packed = new byte[(int)packed];
        if (_plain.Length < (int)plain) _plain = new byte[(int)plain];
        await CopyAsync(_packed.AsMemory(0, (int)packed));
        Lzf.Decompress(_packed.AsSpan(0, (int)packed), _plain.AsSpan(0, (int)plain));
        return _plain.AsMemory(0, (int)plain);
    }

    private ReadOnlyMemory<byte> Text(int number)
    {
        number.TryFormat(_number, out var length, default, CultureInfo.InvariantCulture);
        return _number.AsMemory(0, length);
    }

    private static void Check(ulong length)
    {
        if (length > LongestString) throw new RdbFormatException($"a string has {length} bytes");
    }

    private async ValueTask CopyAsync(Memory<byte> target)
    {
        while (target.Length > 0)
        {
            if (_position == _filled) await FillAsync();
            var piece = Math.Min(target.Length, _filled - _position);
            _buffer.AsSpan(_position, piece).CopyTo(target.Span);
            _position += piece;
            target = target[piece..];
        }
    }

    private void Sum()
    {
        _checksum = RdbChecksum.Append(_checksum, _buffer.AsSpan(_summed, _position - _summed));
        _summed = _position;
    }

    private async ValueTask FillAsync()
    {
        if (!await TryFillAsync()) throw new EndOfStreamException($"The RDB file ends after {Bytes.ToString(CultureInfo.InvariantCulture)} bytes, in the middle");
    }

    private async ValueTask<bool> TryFillAsync()
    {
        Sum();
        _filled = _position = _summed = 0;
        _filled = await source.ReadAsync(_buffer, cancellationToken);
        Bytes += _filled;
        if (copy is not null && _filled > 0) await copy.WriteAsync(_buffer.AsMemory(0, _filled), cancellationToken);
        return _filled > 0;
    }

}
