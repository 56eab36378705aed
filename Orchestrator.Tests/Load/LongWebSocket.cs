using System.Net.WebSockets;
using System.Text;

namespace Orchestrator.Tests.Load;

/// <summary>A user with a WebSocket open all the time: sends, compares the echo, and comes back when asked to.</summary>
internal sealed class LongWebSocket(LoadOptions options, LoadTally tally, TimeProvider time)
{
    private static readonly TimeSpan Pace = TimeSpan.FromMilliseconds(250);

    public async Task RunAsync(string path, CancellationToken stopping)
    {
        var address = new UriBuilder(new Uri(options.Address, path)) { Scheme = "ws" }.Uri;
        while (!stopping.IsCancellationRequested)
        {
            try
            {
                using var socket = new ClientWebSocket();
                if (options.Host is { } host)
                    socket.Options.SetRequestHeader("Host", host);
                await socket.ConnectAsync(address, stopping);
                await TalkAsync(socket, stopping);
            }
            catch (Exception exception) when (stopping.IsCancellationRequested && exception is WebSocketException or OperationCanceledException)
            {
                return;
            }
            catch (Exception exception) when (exception is WebSocketException or HttpRequestException)
            {
                tally.Failed("WebSocket", LoadRequest.Chain(exception));
                await Task.Delay(Pace, time, stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    private async Task TalkAsync(ClientWebSocket socket, CancellationToken stopping)
    {
        var buffer = new byte[256];
        for (var number = 0; !stopping.IsCancellationRequested; number++)
        {
            var message = Encoding.ASCII.GetBytes($"message {number}");
            await socket.SendAsync(message, WebSocketMessageType.Text, endOfMessage: true, CancellationToken.None);
            using var patience = new CancellationTokenSource(options.Timeout, time);
            var read = await socket.ReceiveAsync(buffer, patience.Token);
            if (read.MessageType == WebSocketMessageType.Close)
            {
                tally.Closed((int)(socket.CloseStatus ?? WebSocketCloseStatus.Empty));
                await socket.CloseAsync(WebSocketCloseStatus.NormalClosure, null, patience.Token);
                return;
            }

            if (!buffer.AsSpan(0, read.Count).SequenceEqual(message))
                tally.Failed("WebSocket", $"sent '{Encoding.ASCII.GetString(message)}', got '{Encoding.ASCII.GetString(buffer, 0, read.Count)}'");
            tally.Message();
            await Task.Delay(Pace, time, stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        using var goodbye = new CancellationTokenSource(options.Timeout, time);
        await socket.CloseAsync(WebSocketCloseStatus.NormalClosure, null, goodbye.Token);
    }
}
