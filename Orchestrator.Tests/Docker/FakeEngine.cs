using System.Collections.Concurrent;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Orchestrator.Tests.Docker;

/// <summary>An engine on a socket of its own that fails in ways the real one cannot be made to.</summary>
internal sealed class FakeEngine : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly ConcurrentQueue<string> _requests = new();

    private FakeEngine(WebApplication app, string path) => (_app, Endpoint) = (app, new Uri($"unix://{path}"));

    public Uri Endpoint { get; }

    /// <summary>Method and path of each request so far, without the version.</summary>
    public string[] Requests => [.. _requests];

    /// <summary>The API that it speaks.</summary>
    public string Version { get; set; } = "1.41";

    public static async Task<FakeEngine> StartAsync(Func<HttpContext, string, Task> answer)
    {
        var path = Path.Combine(Path.GetTempPath(), $"basmalin-{Guid.NewGuid():n}.sock");
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.ListenUnixSocket(path));
        var app = builder.Build();
        var fake = new FakeEngine(app, path);
        app.Run(async context =>
        {
            var parts = context.Request.Path.Value!.Split('/', 3);
            var (version, rest) = parts is [_, ['v', .. var said], var after] ? (said, after) : (null, context.Request.Path.Value![1..]);
            var request = $"{context.Request.Method} {rest}";
            fake._requests.Enqueue(request);
            if (request == "GET version") await context.Response.WriteAsync($$"""{"Version":"fake","ApiVersion":"{{fake.Version}}","MinAPIVersion":"{{fake.Version}}"}""");
            else if (version is not null && version != fake.Version)
            {
                context.Response.StatusCode = 400;
                await context.Response.WriteAsJsonAsync(new { message = $"client version {version} is too old. Minimum supported API version is {fake.Version}" });
            }
            else await answer(context, request);
        });
        await app.StartAsync();
        return fake;
    }

    public async ValueTask DisposeAsync() => await _app.DisposeAsync();
}
