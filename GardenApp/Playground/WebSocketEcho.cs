using System.Net.WebSockets;
using Microsoft.AspNetCore.Http.HttpResults;

namespace GardenApp.Playground;

/// <summary>Sends every message back. Answers a close frame with a close frame, and says goodbye (1001) when the process stops.</summary>
internal static class WebSocketEcho
{
    private static readonly TimeSpan Farewell = TimeSpan.FromSeconds(5);

    internal static async Task<Results<EmptyHttpResult, ProblemHttpResult>> AcceptAsync(
        HttpContext context, IHostApplicationLifetime lifetime, TimeProvider time, CancellationToken cancellationToken)
    {
        if (!context.WebSockets.IsWebSocketRequest)
            return TypedResults.Problem("This address speaks WebSocket only.", statusCode: StatusCodes.Status400BadRequest);

        using var socket = await context.WebSockets.AcceptWebSocketAsync();
        var echo = EchoAsync(socket, cancellationToken);
        var stopping = Task.Delay(Timeout.InfiniteTimeSpan, time, lifetime.ApplicationStopping);
        if (await Task.WhenAny(echo, stopping) == stopping && socket.State == WebSocketState.Open)
        {
            // Only our half: the echo loop goes on reading until the client's own close frame has come.
            using var patience = new CancellationTokenSource(Farewell, time);
            await socket.CloseOutputAsync(WebSocketCloseStatus.EndpointUnavailable, "stopping", patience.Token);
            await Task.WhenAny(echo, Task.Delay(Farewell, time, patience.Token));
        }
        else
        {
            await echo;
        }
        return TypedResults.Empty;
    }

    private static async Task EchoAsync(WebSocket socket, CancellationToken cancellationToken)
    {
        var buffer = new byte[16 * 1024];
        try
        {
            while (socket.State is WebSocketState.Open or WebSocketState.CloseSent)
            {
                var received = await socket.ReceiveAsync(buffer.AsMemory(), cancellationToken);
                if (received.MessageType == WebSocketMessageType.Close)
                {
                    if (socket.State == WebSocketState.CloseReceived)
                        await socket.CloseOutputAsync(socket.CloseStatus ?? WebSocketCloseStatus.NormalClosure, socket.CloseStatusDescription, cancellationToken);
                    return;
                }
                if (socket.State == WebSocketState.Open)
                    await socket.SendAsync(buffer.AsMemory(0, received.Count), received.MessageType, received.EndOfMessage, cancellationToken);
            }
        }
        catch (WebSocketException)
        {
            // The client is gone without a close frame; there is nobody left to tell.
        }
        catch (OperationCanceledException)
        {
            // Same, seen from the request.
        }
    }
}
