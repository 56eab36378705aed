using System.Collections.Concurrent;
using System.Net;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using Amazon.S3;
using Amazon.S3.Model;

namespace Orchestrator.Backups.Stores;

/// <summary>
/// Backups in a bucket of anything that speaks S3. Large objects go up in parts of our own; what has arrived is measured and read back before it counts,
/// since some servers accept an upload and store something else.
/// </summary>
public sealed class S3Store(string name, S3Options options, TimeProvider time) : IBackupStore, IDisposable
{
    private readonly S3Calls _calls = new(name, options, time);
    private readonly ConcurrentDictionary<string, bool> _uploading = new();
    private readonly TimeProvider _time = time;

    public string Name => name;

    public Task<PendingObject> CreateAsync(string key, CancellationToken cancellationToken) =>
        Task.FromResult<PendingObject>(new S3Upload(this, _calls, StoreKeys.Check(key), _uploading));

    public async Task<Stream> OpenAsync(string key, long offset, CancellationToken cancellationToken)
    {
        var found = await FindAsync(key, cancellationToken) ?? throw new BackupStoreException(name, $"{key} cannot be read: it is not there", null);
        return new S3ReadStream(async (from, token) => (await GetAsync(key, from, token)).ResponseStream, name, key, offset, found.Bytes);
    }

    public async Task<StoredObject?> FindAsync(string key, CancellationToken cancellationToken)
    {
        try
        {
            var head = await _calls.CallAsync($"{key} cannot be looked for", token => _calls.Client.GetObjectMetadataAsync(new GetObjectMetadataRequest { BucketName = options.Bucket, Key = PathOf(key) }, token), cancellationToken);
            return new StoredObject(key, head.ContentLength, At(head.LastModified));
        }
        catch (BackupStoreException failure) when (S3Calls.IsMissing(failure))
        {
            return null;
        }
    }

    public async IAsyncEnumerable<StoredObject> ListAsync(string prefix, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var request = new ListObjectsV2Request { BucketName = options.Bucket, Prefix = PathOf("") + prefix };
        while (true)
        {
            var page = await _calls.CallAsync($"{prefix} cannot be listed", token => _calls.Client.ListObjectsV2Async(request, token), cancellationToken);
            foreach (var item in page.S3Objects ?? []) yield return new StoredObject(item.Key[PathOf("").Length..], item.Size ?? 0, At(item.LastModified));

            if (page.IsTruncated != true) yield break;
            request.ContinuationToken = page.NextContinuationToken;
        }
    }

    public async Task DeleteAsync(string key, CancellationToken cancellationToken)
    {
        try
        {
            await _calls.CallAsync($"{key} cannot be deleted", token => _calls.Client.DeleteObjectAsync(options.Bucket, PathOf(StoreKeys.Check(key)), token), cancellationToken);
        }
        catch (BackupStoreException failure) when (S3Calls.IsMissing(failure))
        {
            return;
        }
    }

    /// <summary>Servers that cannot list uploads have none removed; <see cref="ProbeAsync"/> tells of them.</summary>
    public async Task<int> SweepAsync(TimeSpan olderThan, CancellationToken cancellationToken)
    {
        var before = _time.GetUtcNow() - olderThan;
        var swept = 0;
        foreach (var upload in await UploadsAsync(cancellationToken) ?? [])
        {
            if (_uploading.ContainsKey(upload.UploadId) || At(upload.Initiated) > before) continue;

            await _calls.CallAsync($"the upload of {upload.Key} cannot be removed", token => _calls.Client.AbortMultipartUploadAsync(options.Bucket, upload.Key, upload.UploadId, token), cancellationToken);
            swept++;
        }

        return swept;
    }

    /// <summary>Writes, reads and deletes an object, and finds out what the server can do. For the moment when a store is set up.</summary>
    /// <exception cref="BackupStoreException">It cannot be used: refused, or it does not give back what was written.</exception>
    public async Task<S3Capabilities> ProbeAsync(CancellationToken cancellationToken)
    {
        var key = $"@probe/{Guid.NewGuid():N}";
        await using (var pending = await CreateAsync(key, cancellationToken))
        {
            var content = "This object may be deleted.\n"u8.ToArray();
            await pending.Content.WriteAsync(content, cancellationToken);
            await pending.PublishAsync(Convert.ToHexStringLower(SHA256.HashData(content)), cancellationToken);
        }

        var conditional = await RefusesToOverwriteAsync(key, cancellationToken);
        var lists = await UploadsAsync(cancellationToken) is not null;
        await DeleteAsync(key, cancellationToken);
        return new S3Capabilities(conditional, lists);
    }

    public void Dispose() => _calls.Dispose();

    internal string PathOf(string key) => options.Prefix.Length == 0 ? key : $"{options.Prefix}/{key}";

    internal Task<GetObjectResponse> GetAsync(string key, long from, CancellationToken cancellationToken)
    {
        var request = new GetObjectRequest { BucketName = options.Bucket, Key = PathOf(StoreKeys.Check(key)) };
        if (from > 0) request.ByteRange = new ByteRange($"bytes={from}-");
        return _calls.CallAsync($"{key} cannot be read", token => _calls.Client.GetObjectAsync(request, token), cancellationToken);
    }

    private static DateTimeOffset At(DateTime? time) => time is { } known ? new DateTimeOffset(known.ToUniversalTime(), TimeSpan.Zero) : DateTimeOffset.UnixEpoch;

    /// <returns>Null when the server cannot list them.</returns>
    private async Task<List<MultipartUpload>?> UploadsAsync(CancellationToken cancellationToken)
    {
        var uploads = new List<MultipartUpload>();
        var request = new ListMultipartUploadsRequest { BucketName = options.Bucket, Prefix = PathOf("") };
        while (true)
        {
            ListMultipartUploadsResponse page;
            try
            {
                page = await _calls.CallAsync("uploads cannot be listed", token => _calls.Client.ListMultipartUploadsAsync(request, token), cancellationToken);
            }
            catch (BackupStoreException failure) when (failure.InnerException is AmazonS3Exception { StatusCode: not (HttpStatusCode.Forbidden or HttpStatusCode.Unauthorized) })
            {
                return null;
            }

            uploads.AddRange(page.MultipartUploads ?? []);
            if (page.IsTruncated != true) return uploads;

            (request.KeyMarker, request.UploadIdMarker) = (page.NextKeyMarker, page.NextUploadIdMarker);
        }
    }

    private async Task<bool> RefusesToOverwriteAsync(string key, CancellationToken cancellationToken)
    {
        try
        {
            var request = new PutObjectRequest { BucketName = options.Bucket, Key = PathOf(key), ContentBody = "twice", IfNoneMatch = "*", UseChunkEncoding = false };
            await _calls.CallAsync("a second object cannot be tried", token => _calls.Client.PutObjectAsync(request, token), cancellationToken);
            return false;
        }
        catch (BackupStoreException failure) when (failure.InnerException is AmazonS3Exception { StatusCode: var status })
        {
            return status == HttpStatusCode.PreconditionFailed;
        }
    }
}
