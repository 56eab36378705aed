using System.IO.Compression;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Primitives;
using Microsoft.Net.Http.Headers;

namespace Orchestrator.Traffic.Requests;

/// <summary>
/// An answer on its way through a compressor. What has no length comes when it comes: each part is passed on as soon as it is there.
/// </summary>
internal sealed class CompressedBody : ResponseBody
{
    // Below it the headers outweigh what is saved.
    private const int Smallest = 512;

    private readonly Stream _compressor;
    private readonly bool _flushes;
    private bool _ended;

    private CompressedBody(IHttpResponseBodyFeature inner, string encoding, bool flushes)
        : base(inner)
    {
        _compressor = encoding == AcceptedEncoding.Brotli ? new BrotliSink(inner.Stream) : new GZipStream(inner.Stream, CompressionLevel.Fastest, leaveOpen: true);
        _flushes = flushes;
    }

    /// <summary>Puts a compressor before the body, when the answer is such and its client understands it. Said when its headers are there.</summary>
    /// <returns>Null: the answer stays as it is.</returns>
    public static CompressedBody? Before(HttpContext context, CompressionRule rule)
    {
        var (request, response) = (context.Request, context.Response);
        if (!rule.Takes(response.ContentType) || response.Headers.ContainsKey(HeaderNames.ContentEncoding))
            return null;

        var headers = response.Headers;
        if (!headers.Vary.ToString().Contains(HeaderNames.AcceptEncoding, StringComparison.OrdinalIgnoreCase))
            headers.Vary = StringValues.Concat(headers.Vary, HeaderNames.AcceptEncoding);
        if (!IsWhole(request, response) || AcceptedEncoding.Of(request.Headers.AcceptEncoding.ToString()) is not { } encoding
            || context.Features.Get<IHttpResponseBodyFeature>() is not { } inner)
            return null;

        var body = new CompressedBody(inner, encoding, response.ContentLength is null);
        headers.ContentEncoding = encoding;
        headers.ContentLength = null;
        headers.Remove(HeaderNames.AcceptRanges);

        // The bytes are others now; that they mean the same is what a weak validator says.
        if (headers.ETag.ToString() is ['"', ..] strong)
            headers.ETag = "W/" + strong;
        context.Features.Set<IHttpResponseBodyFeature>(body);
        return body;
    }

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        await _compressor.WriteAsync(buffer, cancellationToken);
        if (_flushes)
            await _compressor.FlushAsync(cancellationToken);
    }

    /// <summary>Makes the body whole; said when the application has sent all of it.</summary>
    public async Task EndAsync(CancellationToken cancellationToken)
    {
        if (_ended)
            return;

        _ended = true;
        if (_compressor is BrotliSink brotli)
            await brotli.EndAsync(cancellationToken);
        await _compressor.DisposeAsync();
    }

    public override async Task CompleteAsync()
    {
        await EndAsync(CancellationToken.None);
        await base.CompleteAsync();
    }

    /// <summary>Lets go of the compressor without making the body look whole.</summary>
    public void Abandon()
    {
        if (_ended)
            return;

        _ended = true;

        // A GZipStream writes its end when it is disposed of, so that is left to the collector: nobody may take this for all.
        if (_compressor is BrotliSink)
            _compressor.Dispose();
    }

    /// <summary>Takes the compressor out again: nothing was sent of this answer, and another takes its place.</summary>
    public void TakeOut(HttpContext context)
    {
        Abandon();
        context.Features.Set(Inner);
    }

    private static bool IsWhole(HttpRequest request, HttpResponse response) =>
        response.StatusCode is >= 200 and not (StatusCodes.Status204NoContent or StatusCodes.Status205ResetContent or StatusCodes.Status206PartialContent or StatusCodes.Status304NotModified)
        && !HttpMethods.IsHead(request.Method)
        && response.ContentLength is null or >= Smallest
        && !response.Headers.ContainsKey(HeaderNames.ContentRange)
        && !response.Headers.CacheControl.ToString().Contains("no-transform", StringComparison.OrdinalIgnoreCase);
}
