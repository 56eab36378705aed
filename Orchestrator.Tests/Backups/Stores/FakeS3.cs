using System.Collections.Concurrent;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Xml.Linq;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Orchestrator.Tests.Backups.Stores;

/// <summary>The part of S3 that a store uses, over real HTTP, failing on demand in ways that a real server cannot be made to.</summary>
internal sealed class FakeS3 : IAsyncDisposable
{
    private static readonly XNamespace Ns = "http://s3.amazonaws.com/doc/2006-03-01/";

    private readonly WebApplication _app;

    private FakeS3(WebApplication app) => _app = app;

    public ConcurrentDictionary<string, byte[]> Objects { get; } = new();

    public ConcurrentDictionary<string, Upload> Uploads { get; } = new();

    public Uri Endpoint { get; private set; } = new("http://127.0.0.1/");

    /// <summary>Called with the request's name (<c>put</c>, <c>part 3</c>, <c>complete</c>, <c>get</c>, …); true: this one fails.</summary>
    public Func<string, bool> Refuses { get; set; } = _ => false;

    public int RefusesWith { get; set; } = 503;

    /// <summary>The connection is cut in the middle of the request's body, or of the answer's.</summary>
    public Func<string, bool> Cuts { get; set; } = _ => false;

    /// <summary>Awaited with the request's name before it is answered; it is cancelled when the client has gone.</summary>
    public Func<string, CancellationToken, Task> Waits { get; set; } = (_, _) => Task.CompletedTask;

    public bool WrongETags { get; set; }

    public bool StoresFraming { get; set; }

    public bool FlipsABit { get; set; }

    public bool ListsUploads { get; set; } = true;

    public bool Conditional { get; set; } = true;

    public ConcurrentQueue<string> Requests { get; } = new();

    public static async Task<FakeS3> StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseSetting("urls", "http://127.0.0.1:0").ConfigureKestrel(kestrel => kestrel.Limits.MaxRequestBodySize = null);
        var app = builder.Build();
        var fake = new FakeS3(app);
        app.Run(fake.AnswerAsync);
        await app.StartAsync();
        fake.Endpoint = new Uri(app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First());
        return fake;
    }

    public async ValueTask DisposeAsync() => await _app.DisposeAsync();

    private async Task AnswerAsync(HttpContext context)
    {
        var path = context.Request.Path.Value!.TrimStart('/').Split('/', 2);
        var key = path.Length > 1 ? path[1] : "";
        var query = context.Request.Query;
        var what = (context.Request.Method, query.ContainsKey("uploads"), query.ContainsKey("uploadId")) switch
        {
            ("PUT", _, true) => $"part {query["partNumber"]}",
            ("PUT", _, _) => "put",
            ("POST", true, _) => "initiate",
            ("POST", _, true) => "complete",
            ("DELETE", _, true) => "abort",
            ("DELETE", _, _) => "delete",
            ("HEAD", _, _) => "head",
            ("GET", true, _) => "uploads",
            ("GET", _, _) when key.Length == 0 => "list",
            _ => "get",
        };
        Requests.Enqueue(what);
        await Waits(what, context.RequestAborted);
        if (Cuts(what) && what != "get")
        {
            await context.Request.Body.ReadAtLeastAsync(new byte[1000], 1000, throwOnEndOfStream: false);
            context.Abort();
            return;
        }

        using var body = new MemoryStream();
        await context.Request.Body.CopyToAsync(body);
        if (Refuses(what)) await FailAsync(context, RefusesWith, "SlowDown");
        else await AnswerAsync(context, what, key, body.ToArray());
    }

    private Task AnswerAsync(HttpContext context, string what, string key, byte[] body)
    {
        var upload = Uploads.GetValueOrDefault(context.Request.Query["uploadId"].ToString());
        switch (what)
        {
            case "initiate":
                var id = Guid.NewGuid().ToString("N");
                Uploads[id] = new Upload(key, DateTimeOffset.Parse("2026-01-01T00:00:00Z", CultureInfo.InvariantCulture), new());
                return XmlAsync(context, new XElement(Ns + "InitiateMultipartUploadResult", new XElement(Ns + "Bucket", "b"), new XElement(Ns + "Key", key), new XElement(Ns + "UploadId", id)));
            case var _ when upload is null && (what is "complete" or "abort" || what.StartsWith("part", StringComparison.Ordinal)):
                return FailAsync(context, 404, "NoSuchUpload");
            case "complete":
                Keep(key, [.. upload!.Parts.OrderBy(part => part.Key).SelectMany(part => part.Value)]);
                Uploads.TryRemove(context.Request.Query["uploadId"].ToString(), out _);
                return XmlAsync(context, new XElement(Ns + "CompleteMultipartUploadResult", new XElement(Ns + "Key", key), new XElement(Ns + "ETag", "\"x-1\"")));
            case "abort":
                Uploads.TryRemove(context.Request.Query["uploadId"].ToString(), out _);
                context.Response.StatusCode = 204;
                return Task.CompletedTask;
            case "put" when context.Request.Headers.IfNoneMatch == "*" && Conditional && Objects.ContainsKey(key):
                return FailAsync(context, 412, "PreconditionFailed");
            case "put":
                Keep(key, body);
                context.Response.Headers.ETag = ETag(body);
                return Task.CompletedTask;
            case "delete":
                Objects.TryRemove(key, out _);
                context.Response.StatusCode = 204;
                return Task.CompletedTask;
            case "uploads":
                return ListsUploads
                    ? XmlAsync(context, new XElement(Ns + "ListMultipartUploadsResult", new XElement(Ns + "IsTruncated", "false"), Uploads.Select(item => new XElement(
                        Ns + "Upload", new XElement(Ns + "Key", item.Value.Key), new XElement(Ns + "UploadId", item.Key), new XElement(Ns + "Initiated", item.Value.At.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture))))))
                    : FailAsync(context, 501, "NotImplemented");
            case "list":
                return ListAsync(context);
            case "head" or "get":
                return Objects.TryGetValue(key, out var found) ? GiveAsync(context, what, found) : FailAsync(context, 404, "NoSuchKey");
            default:
                upload!.Parts[int.Parse(what.AsSpan(5), CultureInfo.InvariantCulture)] = body;
                context.Response.Headers.ETag = ETag(body);
                return Task.CompletedTask;
        }
    }

    private void Keep(string key, byte[] body)
    {
        var kept = StoresFraming ? [.. Encoding.ASCII.GetBytes($"{body.Length:x};chunk-signature=0\r\n"), .. body, .. "\r\n0;chunk-signature=0\r\n\r\n"u8] : body.ToArray();
        if (FlipsABit && kept.Length > 100) kept[50] ^= 1;
        Objects[key] = kept;
    }

#pragma warning disable CA5351 // an ETag is an MD5 by the protocol of S3, and no secret hangs on it
    private string ETag(byte[] body) => WrongETags ? "\"00000000000000000000000000000000\"" : $"\"{Convert.ToHexStringLower(MD5.HashData(body))}\"";
#pragma warning restore CA5351

    /// <summary>Pages of two, so that every listing has several.</summary>
    private Task ListAsync(HttpContext context)
    {
        var prefix = context.Request.Query["prefix"].ToString();
        var after = context.Request.Query["continuation-token"].ToString();
        var keys = Objects.Keys.Where(key => key.StartsWith(prefix, StringComparison.Ordinal) && string.CompareOrdinal(key, after) > 0).Order(StringComparer.Ordinal).ToList();
        return XmlAsync(context, new XElement(
            Ns + "ListBucketResult",
            new XElement(Ns + "IsTruncated", keys.Count > 2 ? "true" : "false"),
            keys.Count > 2 ? new XElement(Ns + "NextContinuationToken", keys[1]) : null,
            keys.Take(2).Select(key => new XElement(Ns + "Contents", new XElement(Ns + "Key", key), new XElement(Ns + "Size", Objects[key].Length), new XElement(Ns + "LastModified", "2026-01-01T00:00:00.000Z")))));
    }

    private async Task GiveAsync(HttpContext context, string what, byte[] found)
    {
        var (from, to) = (0, found.Length - 1);
        if (context.Request.Headers.Range.ToString() is { Length: > 6 } range)
        {
            var ends = range[6..].Split('-');
            from = int.Parse(ends[0], CultureInfo.InvariantCulture);
            to = ends[1].Length > 0 ? Math.Min(to, int.Parse(ends[1], CultureInfo.InvariantCulture)) : to;
            context.Response.StatusCode = 206;
        }

        context.Response.Headers.LastModified = "Thu, 01 Jan 2026 00:00:00 GMT";
        context.Response.ContentLength = to - from + 1;
        if (what == "head") return;

        var answer = found.AsMemory(from, to - from + 1);
        if (!Cuts(what))
        {
            await context.Response.Body.WriteAsync(answer);
            return;
        }

        await context.Response.Body.WriteAsync(answer[..(answer.Length / 2)]);
        await context.Response.Body.FlushAsync();
        context.Abort();
    }

    private static Task FailAsync(HttpContext context, int status, string code)
    {
        context.Response.StatusCode = status;
        return context.Request.Method == "HEAD" ? Task.CompletedTask : XmlAsync(context, new XElement("Error", new XElement("Code", code), new XElement("Message", "as the test wants it")));
    }

    private static Task XmlAsync(HttpContext context, XElement content)
    {
        context.Response.ContentType = "application/xml";
        return context.Response.WriteAsync($"<?xml version=\"1.0\" encoding=\"UTF-8\"?>{content.ToString(SaveOptions.DisableFormatting)}");
    }

    internal sealed record Upload(string Key, DateTimeOffset At, ConcurrentDictionary<int, byte[]> Parts);
}
