using System.Security.Cryptography;

namespace Orchestrator.Backups.Encryption;

/// <summary>
/// Decrypts a stream, block by block: what it hands out is what was written, in order and from the beginning; where something is missing, added or
/// changed it throws <see cref="AgeException"/>, also at the very end. It must be read to its end for that.
/// </summary>
public sealed class AgeDecryptingStream : Stream
{
    private readonly Stream _input;
    private readonly ChaCha20Poly1305 _aead;
    private readonly byte[] _sealed;
    private readonly byte[] _plain = new byte[AgeFormat.BlockBytes];
    private readonly byte[] _nonce = new byte[AgeFormat.NonceBytes];
    private int _ahead;
    private int _from;
    private int _length;
    private ulong _index;
    private bool _ended;

    private AgeDecryptingStream(Stream input, ReadOnlySpan<byte> payloadKey, byte[] buffer, int ahead)
    {
        (_input, _sealed, _ahead) = (input, buffer, ahead);
        _aead = new ChaCha20Poly1305(payloadKey);
    }

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    /// <summary>Reads the header. The input is left open.</summary>
    /// <exception cref="AgeException">It is no age file, or for none of the identities.</exception>
    public static async Task<AgeDecryptingStream> OpenAsync(Stream input, IReadOnlyCollection<AgeIdentity> identities, CancellationToken cancellationToken)
    {
        var bytes = new byte[1024];
        var count = 0;
        while (true)
        {
            var got = await input.ReadAtLeastAsync(bytes.AsMemory(count), bytes.Length - count, throwOnEndOfStream: false, cancellationToken);
            count += got;
            var header = AgeHeader.Read(bytes.AsSpan(0, count), out var length);
            if (header is not null && count >= length + AgeFormat.PayloadNonceBytes) return Begin(input, header, bytes.AsMemory(length, count - length), identities);
            if (count < bytes.Length) throw new AgeException(count == 0 ? AgeFault.NotAge : AgeFault.Truncated, count == 0 ? "It is empty." : "It ends within the header.");
            if (bytes.Length >= AgeFormat.MostHeaderBytes) throw new AgeException(AgeFault.NotAge, $"The header is longer than {AgeFormat.MostHeaderBytes / 1024} KiB.");

            Array.Resize(ref bytes, bytes.Length * 2);
        }
    }

    public override int Read(Span<byte> buffer)
    {
        if (buffer.Length == 0) return 0;
        while (_from == _length && !_ended) Open(_ahead + _input.ReadAtLeast(_sealed.AsSpan(_ahead, Wanted), Wanted, throwOnEndOfStream: false));
        return Take(buffer);
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (buffer.Length == 0) return 0;
        while (_from == _length && !_ended) Open(_ahead + await _input.ReadAtLeastAsync(_sealed.AsMemory(_ahead, Wanted), Wanted, throwOnEndOfStream: false, cancellationToken));
        return Take(buffer.Span);
    }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _aead.Dispose();
            CryptographicOperations.ZeroMemory(_plain);
        }

        base.Dispose(disposing);
    }

    /// <summary>A block and one byte more, which tells whether it is the last. What was read ahead with the header may be more than that.</summary>
    private int Wanted => Math.Max(0, AgeFormat.SealedBlockBytes + 1 - _ahead);

    private static AgeDecryptingStream Begin(Stream input, AgeHeader header, ReadOnlyMemory<byte> rest, IReadOnlyCollection<AgeIdentity> identities)
    {
        var fileKey = header.Stanzas.SelectMany(stanza => identities.Select(identity => identity.Unwrap(stanza))).FirstOrDefault(key => key is not null)
            ?? throw new AgeException(AgeFault.WrongKey, $"It is encrypted to {header.Stanzas.Length} recipient(s), and none of the given keys is one of them.");
        if (!header.IsSealedBy(fileKey)) throw new AgeException(AgeFault.Changed, "The header is not the one that was written.");

        var nonce = rest.Span[..AgeFormat.PayloadNonceBytes];
        var payload = rest.Span[AgeFormat.PayloadNonceBytes..];
        var buffer = new byte[Math.Max(AgeFormat.SealedBlockBytes + 1, payload.Length)];
        payload.CopyTo(buffer);
        var key = AgeFormat.PayloadKey(fileKey, nonce);
        var reader = new AgeDecryptingStream(input, key, buffer, payload.Length);
        CryptographicOperations.ZeroMemory(key);
        CryptographicOperations.ZeroMemory(fileKey);
        return reader;
    }

    private int Take(Span<byte> buffer)
    {
        var count = Math.Min(buffer.Length, _length - _from);
        _plain.AsSpan(_from, count).CopyTo(buffer);
        _from += count;
        return count;
    }

    private void Open(int count)
    {
        var last = count <= AgeFormat.SealedBlockBytes;
        var length = last ? count : AgeFormat.SealedBlockBytes;
        if (length < AgeFormat.TagBytes) throw new AgeException(AgeFault.Truncated, $"It ends within block {_index}.");

        var block = _sealed.AsSpan(0, length);
        if (!TryOpen(block, last)) throw Fault(block, last);
        if (last && length == AgeFormat.TagBytes && _index > 0) throw new AgeException(AgeFault.Changed, "It has an empty block at its end, which no writer makes.");

        (_from, _length, _ended) = (0, length - AgeFormat.TagBytes, last);
        _index++;
        _ahead = count - length;
        _sealed.AsSpan(length, _ahead).CopyTo(_sealed);
    }

    private bool TryOpen(ReadOnlySpan<byte> block, bool last)
    {
        AgeFormat.BlockNonce(_nonce, _index, last);
        try
        {
            _aead.Decrypt(_nonce, block[..^AgeFormat.TagBytes], block[^AgeFormat.TagBytes..], _plain.AsSpan(0, block.Length - AgeFormat.TagBytes));
            return true;
        }
        catch (AuthenticationTagMismatchException)
        {
            return false;
        }
    }

    /// <summary>The other mark tells a cut or an addition at a block's border from a change.</summary>
    private AgeException Fault(ReadOnlySpan<byte> block, bool last)
    {
        if (TryOpen(block, !last))
        {
            CryptographicOperations.ZeroMemory(_plain);
            return last
                ? new AgeException(AgeFault.Truncated, $"It ends after block {_index}, and more was written.")
                : new AgeException(AgeFault.Changed, $"Something was added behind its end in block {_index}.");
        }

        return last && block.Length < AgeFormat.SealedBlockBytes
            ? new AgeException(AgeFault.Truncated, $"It ends within block {_index}, or was changed there.")
            : new AgeException(AgeFault.Changed, $"Block {_index} is not what was written.");
    }
}
