using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;

namespace Orchestrator.Benchmarks.Edge;

/// <summary>What all proxies stand in front of: Kestrel, answering with 1 KiB.</summary>
internal static class SmallBackend
{
    private static readonly byte[] Body = [.. Enumerable.Repeat((byte)'x', 1024)];

    public static async Task<int> StartAsync()
    {
        var application = PlainApplication.Build();
        application.Run(static async context =>
        {
            context.Response.ContentLength = Body.Length;
            context.Response.ContentType = "text/plain";
            await context.Response.Body.WriteAsync(Body, context.RequestAborted);
        });
        return await PlainApplication.StartAsync(application);
    }
}
