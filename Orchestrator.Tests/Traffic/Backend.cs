using System.Collections.Concurrent;
using System.IO.Compression;
using System.Net;
using System.Net.WebSockets;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Orchestrator.Traffic;

namespace Orchestrator.Tests.Traffic;

/// <summary>A small application on a loopback address of its own, as each container has one; all of them listen on the same port.</summary>
internal sealed class Backend : IAsyncDisposable
{
    public const int Port = 18977;

    private static int Last;

    private readonly WebApplication _application;
    private int _headsOnly;
    private int _requests;

    private Backend(string version, string host)
    {
        Version = version;
        Host = host;
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(options =>
        {
            options.Limits.MaxRequestBodySize = null;
            options.Listen(IPAddress.Parse(host), Port);
        });
        _application = builder.Build();
        _application.UseWebSockets();
        _application.Use(async (context, next) =>
        {
            Interlocked.Increment(ref _requests);
            context.Response.Headers["X-Garden-Version"] = Version;
            context.Response.Headers["X-Seen-Target"] = context.Features.Get<Microsoft.AspNetCore.Http.Features.IHttpRequestFeature>()?.RawTarget;
            context.Response.Headers["X-Seen-Prefix"] = context.Request.Headers["X-Forwarded-Prefix"];
            await next();
        });
        Map();
    }

    public string Version { get; }

    public string Host { get; }

    public ReplicaAddress Address => new(Host, Host);

    /// <summary>All requests that have arrived.</summary>
    public int Requests => Volatile.Read(ref _requests);

    /// <summary>Requests to <c>/gate</c> wait for it.</summary>
    public TaskCompletionSource Gate { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Completes when a request has arrived at <c>/gate</c>.</summary>
    public TaskCompletionSource Arrived { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>So many answers at <c>/head-only</c> end after their headers.</summary>
    public int HeadsOnly
    {
        set => _headsOnly = value;
    }

    /// <summary>Close status of each WebSocket that ended, as the application saw it.</summary>
    public ConcurrentQueue<WebSocketCloseStatus?> Closed { get; } = [];

    /// <summary>An address that nobody else has, in this process or, most likely, another.</summary>
    public static string FreshHost()
    {
        var number = Interlocked.Increment(ref Last);
        return $"127.{64 + (Environment.ProcessId % 128)}.{(number >> 8) & 255}.{number & 255}";
    }

    /// <summary>What <c>/bytes/{count}</c> answers.</summary>
    public static byte[] Bytes(int count)
    {
        var bytes = new byte[count];
        new Random(count).NextBytes(bytes);
        return bytes;
    }

    public static Task<Backend> StartAsync(string version) => StartAsync(version, FreshHost());

    public static async Task<Backend> StartAsync(string version, string host)
    {
        var backend = new Backend(version, host);
        await backend._application.StartAsync();
        return backend;
    }

    public async ValueTask DisposeAsync()
    {
        Gate.TrySetResult();
        using var now = new CancellationTokenSource(TimeSpan.Zero);
        await _application.StopAsync(now.Token);
        await _application.DisposeAsync();
    }

    /// <summary>What <c>/text/{count}</c> answers.</summary>
    public static string Text(int count) => string.Create(count, 0, static (text, _) =>
    {
        for (var i = 0; i < text.Length; i++)
            text[i] = (char)('a' + (i * i / 7 % 26));
    });

    private void MapText()
    {
        _application.MapGet("/text/{count:int}", (int count, HttpContext context) =>
        {
            context.Response.Headers.ETag = "\"one\"";
            return Results.Text(Text(count));
        });
        _application.MapMethods("/hundred", ["GET", "HEAD"], () => Results.Bytes(Bytes(100)));
        _application.MapGet("/mirror", (HttpContext context) => context.Response.Headers["X-Large"] = context.Request.Headers["X-Large"]);
        _application.MapPost("/first-bytes", async (HttpContext context) =>
        {
            await context.Request.Body.ReadExactlyAsync(new byte[100]);
            Arrived.TrySetResult();
            await context.Request.Body.CopyToAsync(Stream.Null, context.RequestAborted);
        });
        _application.MapPost("/trailers", async (HttpContext context) =>
        {
            using var reader = new StreamReader(context.Request.Body);
            var body = await reader.ReadToEndAsync();
            var trailers = context.Features.Get<Microsoft.AspNetCore.Http.Features.IHttpRequestTrailersFeature>()?.Trailers;
            return $"body {body}; host {context.Request.Host}; length {context.Request.ContentLength?.ToString() ?? "none"}; trailers {(trailers is { Count: > 0 } ? string.Join(',', trailers.Keys) : "none")}";
        });
        _application.MapGet("/encoded", (HttpContext context) =>
        {
            context.Response.Headers.ContentEncoding = "deflate";
            return Results.Text(Text(5000));
        });
        _application.MapGet("/part", (HttpContext context) =>
        {
            context.Response.StatusCode = 206;
            context.Response.Headers.ContentRange = "bytes 0-4999/9000";
            context.Response.ContentType = "text/plain";
            return context.Response.WriteAsync(Text(5000));
        });
        _application.MapGet("/parts", async (HttpContext context) =>
        {
            context.Response.ContentType = "text/plain";
            await context.Response.WriteAsync("first");
            await context.Response.Body.FlushAsync();
            await Gate.Task.WaitAsync(context.RequestAborted);
            await context.Response.WriteAsync("second");
        });
        _application.MapGet("/text-cut", async (HttpContext context) =>
        {
            context.Response.ContentType = "text/plain";
            await context.Response.WriteAsync(Text(5000));
            await context.Response.Body.FlushAsync();
            await Gate.Task.WaitAsync(context.RequestAborted);
            context.Abort();
        });
    }

    private void MapHopsAndHeads()
    {
        // Of the first answers only the headers come.
        _application.MapGet("/head-only", async (HttpContext context) =>
        {
            context.Response.ContentType = "text/plain";
            context.Response.ContentLength = 5000;
            if (Interlocked.Decrement(ref _headsOnly) < 0)
            {
                await context.Response.WriteAsync(Text(5000));
                return;
            }

            await context.Response.StartAsync();
            await context.Response.Body.FlushAsync();
            await Task.Delay(TimeSpan.FromMilliseconds(200), TimeProvider.System);
            context.Abort();
        });
        _application.MapGet("/hop", (HttpContext context) =>
        {
            context.Response.Headers.Connection = "X-Hop";
            context.Response.Headers["X-Hop"] = "1";
            return "";
        });
        _application.MapGet("/api/zipped-events", async (HttpContext context) =>
        {
            context.Response.ContentType = "text/event-stream";
            context.Response.Headers.ContentEncoding = "gzip";
            await using var zipped = new GZipStream(context.Response.Body, CompressionLevel.Fastest);
            foreach (var word in new[] { "one", "two" })
            {
                await zipped.WriteAsync(Encoding.UTF8.GetBytes($"data: {word}\n\n"));
                await zipped.FlushAsync();
            }

            Arrived.TrySetResult();
            await Gate.Task.WaitAsync(context.RequestAborted);
        });
        _application.MapGet("/api/quiet-events", async (HttpContext context) =>
        {
            context.Response.ContentType = "text/event-stream";
            await context.Response.StartAsync();
            await context.Response.Body.FlushAsync();
            await Gate.Task.WaitAsync(context.RequestAborted);
            await context.Response.WriteAsync("data: last\n\n");
        });
    }

    private void Map()
    {
        MapText();
        MapHopsAndHeads();
        _application.MapGet("/", () => Version);
        _application.MapGet("/status/{code:int}", (int code) => Results.StatusCode(code));
        _application.MapGet("/target/{**rest}", (HttpContext context) => context.Features.Get<Microsoft.AspNetCore.Http.Features.IHttpRequestFeature>()!.RawTarget);
        _application.MapGet("/headers", (HttpContext context) => string.Join('\n', context.Request.Headers.Select(pair => $"{pair.Key}: {pair.Value}")));
        _application.MapGet("/cut", (HttpContext context) => context.Abort());
        _application.MapGet("/cut-in-the-middle", async (HttpContext context) =>
        {
            await context.Response.WriteAsync("half");
            await context.Response.Body.FlushAsync();
            context.Abort();
        });
        _application.MapPost("/api/echo", async (HttpContext context) =>
            new { sha256 = Convert.ToHexStringLower(await SHA256.HashDataAsync(context.Request.Body)), version = Version });
        _application.MapGet("/bytes/{count:int}", (int count) => Results.Bytes(Bytes(count)));
        _application.MapGet("/api/slow", async (int ms, HttpContext context) =>
        {
            await Task.Delay(TimeSpan.FromMilliseconds(ms), TimeProvider.System, context.RequestAborted);
            return Version;
        });
        _application.MapGet("/gate", async (HttpContext context) =>
        {
            Arrived.TrySetResult();
            await Gate.Task.WaitAsync(context.RequestAborted);
            return Version;
        });
        _application.MapGet("/api/events", EventsAsync);
        _application.MapGet("/api/ticks", async (HttpContext context) =>
        {
            context.Response.ContentType = "text/event-stream";
            for (var i = 0; i < 10; i++)
            {
                await context.Response.WriteAsync("data: tick\n\n");
                await context.Response.Body.FlushAsync();
                await Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System, context.RequestAborted);
            }
        });
        _application.MapGet("/api/ws", WebSocketAsync);
    }

    // One event at once; the second and last when the gate opens.
    private async Task EventsAsync(HttpContext context)
    {
        context.Response.ContentType = "text/event-stream";
        await context.Response.WriteAsync($"data: {Version}\n\n");
        await context.Response.Body.FlushAsync();
        Arrived.TrySetResult();
        await Gate.Task.WaitAsync(context.RequestAborted);
        await context.Response.WriteAsync("data: last\n\n");
    }

    private async Task WebSocketAsync(HttpContext context)
    {
        using var socket = await context.WebSockets.AcceptWebSocketAsync();
        var buffer = new byte[64 * 1024];
        WebSocketCloseStatus? status = null;
        try
        {
            while (true)
            {
                var read = await socket.ReceiveAsync(buffer.AsMemory(), context.RequestAborted);
                if (read.MessageType == WebSocketMessageType.Close)
                {
                    status = socket.CloseStatus;
                    await socket.CloseAsync(WebSocketCloseStatus.NormalClosure, null, context.RequestAborted);
                    return;
                }

                await socket.SendAsync(buffer.AsMemory(0, read.Count), read.MessageType, read.EndOfMessage, context.RequestAborted);
            }
        }
        catch (Exception exception) when (exception is WebSocketException or OperationCanceledException)
        {
            status = null;
        }
        finally
        {
            Closed.Enqueue(status);
        }
    }
}
