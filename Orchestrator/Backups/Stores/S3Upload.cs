using System.Collections.Concurrent;
using System.Security.Cryptography;
using Amazon.S3;
using Amazon.S3.Model;
using Orchestrator.Backups.Pipeline;

namespace Orchestrator.Backups.Stores;

/// <summary>
/// One object on its way up: whole when it is small, otherwise in parts whose size grows with their number, so that neither memory nor the number of parts
/// gets out of hand. One part is held in memory, and sent again from there when it has to be.
/// </summary>
internal sealed class S3Upload : PendingObject
{
    private const int FirstBuffer = 256 * 1024;
    private const int SampleBytes = 64 * 1024;
    private const int MostSamples = 8;
    private const int Mebi = 1024 * 1024;

    private readonly S3Store _store;
    private readonly S3Calls _calls;
    private readonly string _key;
    private readonly ConcurrentDictionary<string, bool> _uploading;
    private readonly List<PartETag> _parts = [];
    private readonly List<Sample> _samples = [];
    private readonly CountedStream _content;
    private byte[] _buffer = new byte[FirstBuffer];
    private int _length;
    private long _sent;
    private string? _upload;

    public S3Upload(S3Store store, S3Calls calls, string key, ConcurrentDictionary<string, bool> uploading)
    {
        (_store, _calls, _key, _uploading) = (store, calls, key, uploading);
        _content = new CountedStream(new Intake(this));
    }

    public override Stream Content => _content;

    private S3Options Options => _calls.Options;

    private string Path => _store.PathOf(_key);

    private S3StorageClass? Class => Options.StorageClass is { } name ? new S3StorageClass(name) : null;

    /// <summary>16 MiB for the first hundred parts, 32 for the next, 64 from then on.</summary>
    private int PartBytes => (_parts.Count < 100 ? 16 : _parts.Count < 200 ? 32 : 64) * Mebi;

    public override async Task<StoredObject> PublishAsync(string hash, CancellationToken cancellationToken)
    {
        if (_upload is null) await PutWholeAsync(cancellationToken);
        else await CompleteAsync(_upload, cancellationToken);
        try
        {
            return await VerifyAsync(hash, cancellationToken);
        }
        catch (BackupStoreException)
        {
            await _store.DeleteAsync(_key, cancellationToken);
            throw;
        }
    }

    public override async ValueTask DisposeAsync()
    {
        await _content.DisposeAsync();
        if (_upload is not { } upload) return;

        // The caller's token may be why we are here. What this cannot remove is swept later.
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(30), TimeProvider.System);
        try
        {
            await _calls.Client.AbortMultipartUploadAsync(Options.Bucket, Path, upload, limit.Token);
        }
        finally
        {
            _uploading.TryRemove(upload, out _);
        }
    }

    private async ValueTask TakeAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        while (bytes.Length > 0)
        {
            if (_length == PartBytes) await SendPartAsync(cancellationToken);
            if (_length == _buffer.Length) Array.Resize(ref _buffer, Math.Min(PartBytes, _buffer.Length * 2));

            var count = Math.Min(bytes.Length, Math.Min(_buffer.Length, PartBytes) - _length);
            bytes[..count].CopyTo(_buffer.AsMemory(_length));
            _length += count;
            bytes = bytes[count..];
        }
    }

    private async Task SendPartAsync(CancellationToken cancellationToken)
    {
        if (_parts.Count == Options.MostParts)
        {
            throw new BackupStoreException(
                _store.Name, $"{_key} needs more than {Options.MostParts} parts. Set most_parts of the store higher, where its server takes more (Amazon's takes 10000)", null);
        }

        if (_upload is null)
        {
            var request = new InitiateMultipartUploadRequest { BucketName = Options.Bucket, Key = Path, StorageClass = Class };
            var begun = await _calls.CallAsync($"the upload of {_key} cannot be begun", token => _calls.Client.InitiateMultipartUploadAsync(request, token), cancellationToken);
            _upload = begun.UploadId;
            _uploading[_upload] = true;
        }

        TakeSample();
        var number = _parts.Count + 1;
        var sent = await _calls.CallAsync(
            $"part {number} of {_key} was not taken",
            async token =>
            {
                using var body = new MemoryStream(_buffer, 0, _length, writable: false);
                return await _calls.Client.UploadPartAsync(
                    new UploadPartRequest
                    {
                        BucketName = Options.Bucket,
                        Key = Path,
                        UploadId = _upload,
                        PartNumber = number,
                        PartSize = _length,
                        InputStream = body,
                        UseChunkEncoding = false,
                        DisablePayloadSigning = !Options.SignPayload,
                    },
                    token);
            },
            cancellationToken);
        _parts.Add(new PartETag(number, sent.ETag));
        _sent += _length;
        _length = 0;
    }

    private async Task PutWholeAsync(CancellationToken cancellationToken)
    {
        TakeSample();
        await _calls.CallAsync(
            $"{_key} was not taken",
            async token =>
            {
                using var body = new MemoryStream(_buffer, 0, _length, writable: false);
                return await _calls.Client.PutObjectAsync(
                    new PutObjectRequest
                    {
                        BucketName = Options.Bucket,
                        Key = Path,
                        StorageClass = Class,
                        InputStream = body,
                        AutoCloseStream = false,
                        UseChunkEncoding = false,
                        DisablePayloadSigning = !Options.SignPayload,
                    },
                    token);
            },
            cancellationToken);
    }

    private async Task CompleteAsync(string upload, CancellationToken cancellationToken)
    {
        if (_length > 0) await SendPartAsync(cancellationToken);
        try
        {
            var request = new CompleteMultipartUploadRequest { BucketName = Options.Bucket, Key = Path, UploadId = upload, PartETags = _parts };
            await _calls.CallAsync($"{_key} was not put together", token => _calls.Client.CompleteMultipartUploadAsync(request, token), cancellationToken);
        }
        catch (BackupStoreException failure) when (S3Calls.IsMissing(failure))
        {
            // Put together by an attempt whose answer was lost; whether it is all there is seen next.
            if (await _store.FindAsync(_key, cancellationToken) is null) throw;
        }

        _uploading.TryRemove(upload, out _);
        _upload = null;
    }

    private void TakeSample()
    {
        var length = Math.Min(_length, SampleBytes);
        _samples.Add(new Sample(_sent, length, Convert.ToHexStringLower(SHA256.HashData(_buffer.AsSpan(0, length)))));
    }

    private async Task<StoredObject> VerifyAsync(string hash, CancellationToken cancellationToken)
    {
        var found = await _store.FindAsync(_key, cancellationToken)
            ?? throw new BackupStoreException(_store.Name, $"{_key} was taken and is not there", null);
        if (found.Bytes != _content.Bytes)
        {
            throw new BackupStoreException(
                _store.Name, $"{_key} has {found.Bytes} bytes there, and {_content.Bytes} were sent. A server that stores more has taken the framing of the transfer for data", null);
        }

        if (found.Bytes <= Options.ReadBackWhole)
        {
            var back = await HashAsync(0, found.Bytes, cancellationToken);
            if (back != hash) throw Changed();
        }
        else
        {
            foreach (var sample in _samples.Count <= MostSamples ? _samples : [.. RandomNumberGenerator.GetItems<Sample>(_samples.ToArray(), MostSamples - 1), _samples[^1]])
            {
                if (await HashAsync(sample.Offset, sample.Length, cancellationToken) != sample.Hash) throw Changed();
            }
        }

        return found;
    }

    private BackupStoreException Changed() => new(_store.Name, $"{_key} was taken and reads back as something else", null);

    private async Task<string> HashAsync(long offset, long length, CancellationToken cancellationToken)
    {
        await using var content = new S3ReadStream(async (from, token) => (await _store.GetAsync(_key, from, token)).ResponseStream, _store.Name, _key, offset, offset + length);
        await using var measured = new MeasuredStream(content);
        var buffer = new byte[SampleBytes];
        while (await measured.ReadAsync(buffer, cancellationToken) > 0) cancellationToken.ThrowIfCancellationRequested();
        return measured.Hash();
    }

    private sealed record Sample(long Offset, int Length, string Hash);

    /// <summary>Forwards only.</summary>
    private sealed class Intake(S3Upload upload) : Stream
    {
        public override bool CanRead => false;

        public override bool CanSeek => false;

        public override bool CanWrite => true;

        public override long Length => throw new NotSupportedException();

        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) => upload.TakeAsync(buffer, cancellationToken);

        public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) => upload.TakeAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

        public override void Write(byte[] buffer, int offset, int count) => upload.TakeAsync(buffer.AsMemory(offset, count), CancellationToken.None).AsTask().GetAwaiter().GetResult();

        public override void Flush()
        {
        }

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();
    }
}
