using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging;
using Orchestrator.Traffic;

namespace Orchestrator.Tests.Traffic.Requests;

/// <summary>What a gRPC server is to a proxy: HTTP/2 without TLS and nothing else, streams both ways at once, the outcome in trailers.</summary>
internal sealed class GrpcBackend : IAsyncDisposable
{
    private readonly WebApplication _application;

    private GrpcBackend(string version, string host)
    {
        Host = host;
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(options => options.Listen(IPAddress.Parse(host), Backend.Port, listen => listen.Protocols = HttpProtocols.Http2));
        _application = builder.Build();
        _application.MapPost("/garden.Plants/Watch", async (HttpContext context) =>
        {
            context.Response.ContentType = "application/grpc";
            context.Response.Headers["X-Garden-Version"] = version;
            await context.Response.StartAsync();
            var buffer = new byte[4096];
            while (await context.Request.Body.ReadAsync(buffer) is var read and > 0)
            {
                await context.Response.Body.WriteAsync(buffer.AsMemory(0, read));
                await context.Response.Body.FlushAsync();
            }

            context.Response.AppendTrailer("grpc-status", "0");
            context.Response.AppendTrailer("grpc-message", version);
        });
    }

    public string Host { get; }

    public ReplicaAddress Address => new(Host, Host);

    public static async Task<GrpcBackend> StartAsync(string version)
    {
        var backend = new GrpcBackend(version, Backend.FreshHost());
        await backend._application.StartAsync();
        return backend;
    }

    public async ValueTask DisposeAsync()
    {
        using var now = new CancellationTokenSource(TimeSpan.Zero);
        await _application.StopAsync(now.Token);
        await _application.DisposeAsync();
    }
}
