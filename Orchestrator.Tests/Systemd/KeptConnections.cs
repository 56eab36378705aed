using System.Collections.Concurrent;
using System.Net.Sockets;
using System.Text;

namespace Orchestrator.Tests.Systemd;

/// <summary>
/// Clients without mercy: each keeps one connection, asks again and again, and repeats nothing. A connection may end only after an answer that said so;
/// everything else is a failure. The idle ones ask so seldom that most are asked nothing while a daemon ends.
/// </summary>
internal sealed class KeptConnections : IAsyncDisposable
{
    private const int LongPause = 5000;

    private readonly Uri _address;
    private readonly string _host;
    private readonly CancellationTokenSource _stopping = new();
    private readonly TimeProvider _time = TimeProvider.System;
    private readonly List<Task> _clients = [];
    private long _answers;
    private long _told;
    private long _returns;

    private KeptConnections(Uri address, string host) => (_address, _host) = (address, host);

    public ConcurrentQueue<string> Failures { get; } = [];

    public long Answers => Interlocked.Read(ref _answers);

    /// <summary>Connections that were told with an answer that they end.</summary>
    public long Told => Interlocked.Read(ref _told);

    /// <summary>Answers on connections on which nothing was asked for many seconds.</summary>
    public long Returns => Interlocked.Read(ref _returns);

    public static KeptConnections Start(Uri address, string host, int busy, int idle)
    {
        var connections = new KeptConnections(address, host);
        for (var i = 0; i < busy; i++) connections._clients.Add(Task.Run(() => connections.LoopAsync(stream => connections.AskAsync(stream, 20, 250))));
        for (var i = 0; i < idle; i++) connections._clients.Add(Task.Run(() => connections.LoopAsync(stream => connections.AskAsync(stream, LongPause, 2 * LongPause))));
        return connections;
    }

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        await Task.WhenAll(_clients);
        _stopping.Dispose();
    }

    private async Task LoopAsync(Func<NetworkStream, Task> use)
    {
        while (!_stopping.IsCancellationRequested)
        {
            try
            {
                using var client = new TcpClient { NoDelay = true };
                await client.ConnectAsync(_address.Host, _address.Port, _stopping.Token);
                await use(client.GetStream());
            }
            catch (OperationCanceledException) when (_stopping.IsCancellationRequested)
            {
                return;
            }
            catch (Exception exception) when (exception is IOException or SocketException)
            {
                Failures.Enqueue($"{_time.GetUtcNow():HH:mm:ss.fff} {exception.GetBaseException().Message}");
            }
        }
    }

    /// <param name="shortest">Milliseconds between an answer and the next request.</param>
    private async Task AskAsync(NetworkStream stream, int shortest, int longest)
    {
        var buffer = new byte[16 * 1024];
        var request = Encoding.ASCII.GetBytes($"GET /version HTTP/1.1\r\nHost: {_host}\r\n\r\n");
        var last = _time.GetTimestamp();
        for (var first = true; !_stopping.IsCancellationRequested; first = false)
        {
            await stream.WriteAsync(request, CancellationToken.None);
            var answer = await ReadAsync(stream, buffer);
            if (!answer.StartsWith("HTTP/1.1 200", StringComparison.Ordinal)) throw new IOException($"asked at {_address.Port} after {_time.GetElapsedTime(last).TotalSeconds:0.0} s, and got '{answer[..Math.Min(answer.Length, 60)]}'");
            Interlocked.Increment(ref _answers);
            last = _time.GetTimestamp();
            if (!first && shortest >= LongPause) Interlocked.Increment(ref _returns);
            if (answer.Contains("\r\nConnection: close", StringComparison.OrdinalIgnoreCase))
            {
                Interlocked.Increment(ref _told);
                return;
            }

            await Task.Delay(TimeSpan.FromMilliseconds(Random.Shared.Next(shortest, longest)), _time, _stopping.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <returns>Head and body; empty: the connection was closed instead.</returns>
    private static async Task<string> ReadAsync(NetworkStream stream, byte[] buffer)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromMinutes(1));
        var text = new StringBuilder();
        while (true)
        {
            var read = await stream.ReadAsync(buffer, patience.Token);
            if (read == 0) return text.ToString();

            text.Append(Encoding.Latin1.GetString(buffer, 0, read));
            var all = text.ToString();
            var end = all.IndexOf("\r\n\r\n", StringComparison.Ordinal);
            if (end < 0) continue;
            if (all.Contains("\r\nTransfer-Encoding: chunked", StringComparison.OrdinalIgnoreCase) ? all.EndsWith("0\r\n\r\n", StringComparison.Ordinal) : all.Length >= end + 4 + Length(all)) return all;
        }
    }

    private static int Length(string head)
    {
        const string Header = "\r\nContent-Length: ";
        var at = head.IndexOf(Header, StringComparison.OrdinalIgnoreCase);
        return at < 0 ? 0 : int.Parse(head.AsSpan(at + Header.Length, head.IndexOf("\r\n", at + 2, StringComparison.Ordinal) - at - Header.Length), System.Globalization.CultureInfo.InvariantCulture);
    }
}
