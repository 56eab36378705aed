using System.Security.Cryptography;

namespace Orchestrator.Backups.Encryption;

/// <summary>
/// Encrypts what is written into it. Only <see cref="CompleteAsync"/> writes the last block: a stream that is merely disposed of is truncated, and its
/// reader will say so. One block of memory; the output is left open.
/// </summary>
public sealed class AgeEncryptingStream : Stream
{
    private readonly Stream _output;
    private readonly ChaCha20Poly1305 _aead;
    private readonly byte[] _plain = new byte[AgeFormat.BlockBytes];
    private readonly byte[] _sealed = new byte[AgeFormat.SealedBlockBytes];
    private readonly byte[] _nonce = new byte[AgeFormat.NonceBytes];
    private byte[]? _head;
    private int _length;
    private ulong _index;
    private bool _completed;

    /// <param name="recipients">At least one; each can read all of it alone.</param>
    public AgeEncryptingStream(Stream output, IReadOnlyCollection<AgeRecipient> recipients)
    {
        if (recipients.Count == 0) throw new ArgumentException("Without a recipient nobody could read it.", nameof(recipients));

        _output = output;
        Span<byte> fileKey = stackalloc byte[AgeFormat.FileKeyBytes];
        RandomNumberGenerator.Fill(fileKey);
        var nonce = RandomNumberGenerator.GetBytes(AgeFormat.PayloadNonceBytes);
        _head = [.. AgeHeader.Write(fileKey, recipients), .. nonce];
        var key = AgeFormat.PayloadKey(fileKey, nonce);
        _aead = new ChaCha20Poly1305(key);
        CryptographicOperations.ZeroMemory(key);
        CryptographicOperations.ZeroMemory(fileKey);
    }

    public override bool CanRead => false;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    /// <summary>Writes the last block. Exactly once, at the end.</summary>
    public async Task CompleteAsync(CancellationToken cancellationToken)
    {
        ObjectDisposedException.ThrowIf(_completed, this);
        _completed = true;
        if (TakeHead() is { } head) await _output.WriteAsync(head, cancellationToken);
        await _output.WriteAsync(Seal(last: true), cancellationToken);
    }

    public override void Write(ReadOnlySpan<byte> buffer)
    {
        ObjectDisposedException.ThrowIf(_completed, this);
        while (buffer.Length > 0)
        {
            // A full block waits until more comes: it might be the last.
            if (_length == _plain.Length)
            {
                if (TakeHead() is { } head) _output.Write(head);
                _output.Write(Seal(last: false).Span);
            }

            var count = Fill(buffer);
            buffer = buffer[count..];
        }
    }

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        ObjectDisposedException.ThrowIf(_completed, this);
        while (buffer.Length > 0)
        {
            if (_length == _plain.Length)
            {
                if (TakeHead() is { } head) await _output.WriteAsync(head, cancellationToken);
                await _output.WriteAsync(Seal(last: false), cancellationToken);
            }

            var count = Fill(buffer.Span);
            buffer = buffer[count..];
        }
    }

    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    /// <summary>Whole blocks only go out; a part of one cannot be sealed before its end is known.</summary>
    public override void Flush()
    {
    }

    public override Task FlushAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _completed = true;
            _aead.Dispose();
            CryptographicOperations.ZeroMemory(_plain);
        }

        base.Dispose(disposing);
    }

    private byte[]? TakeHead() => Interlocked.Exchange(ref _head, null);

    private int Fill(ReadOnlySpan<byte> buffer)
    {
        var count = Math.Min(buffer.Length, _plain.Length - _length);
        buffer[..count].CopyTo(_plain.AsSpan(_length));
        _length += count;
        return count;
    }

    private ReadOnlyMemory<byte> Seal(bool last)
    {
        AgeFormat.BlockNonce(_nonce, _index++, last);
        _aead.Encrypt(_nonce, _plain.AsSpan(0, _length), _sealed.AsSpan(0, _length), _sealed.AsSpan(_length, AgeFormat.TagBytes));
        var block = _sealed.AsMemory(0, _length + AgeFormat.TagBytes);
        _length = 0;
        return block;
    }
}
