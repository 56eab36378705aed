using System.Net.WebSockets;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;

namespace Orchestrator.Benchmarks.Edge;

/// <summary>What all proxies stand in front of: Kestrel, answering with 1 KiB, or 1 MiB.</summary>
internal static class SmallBackend
{
    public const string LargePath = "/large";

    private static readonly byte[] Small = [.. Enumerable.Repeat((byte)'x', 1 << 10)];
    private static readonly byte[] Large = [.. Enumerable.Repeat((byte)'x', 1 << 20)];

    public static async Task<int> StartAsync()
    {
        var application = PlainApplication.Build();
        application.UseWebSockets();
        application.Run(static async context =>
        {
            if (context.WebSockets.IsWebSocketRequest)
            {
                await HoldAsync(await context.WebSockets.AcceptWebSocketAsync(), context.RequestAborted);
                return;
            }

            var body = context.Request.Path == LargePath ? Large : Small;
            context.Response.ContentLength = body.Length;
            context.Response.ContentType = "text/plain";
            await context.Response.Body.WriteAsync(body, context.RequestAborted);
        });
        return await PlainApplication.StartAsync(application);
    }

    /// <summary>Says nothing until the other side closes.</summary>
    private static async Task HoldAsync(WebSocket socket, CancellationToken cancellationToken)
    {
        var received = await socket.ReceiveAsync(Memory<byte>.Empty, cancellationToken);
        if (received.MessageType == WebSocketMessageType.Close) await socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, null, cancellationToken);
    }
}
