using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.Logging;

namespace Orchestrator.Traffic.Handover;

/// <summary>Accepts at a socket that is shared with somebody who goes on holding it; first of all the connections that came by it before.</summary>
/// <remarks>
/// Kestrel's own listener ends an accept by closing the socket. A socket that is closed on exec is then disconnected first when a call is under way on
/// it, as its last owner may do; here that would end the listening for everybody. So the accept is called off, and the socket closed when none is left.
/// </remarks>
internal sealed class InheritedListener(InheritedSocket inherited, ImmutableArray<Socket> earlier, ILoggerFactory loggers, TimeProvider time) : IConnectionListener
{
    // Descriptors or memory are short: another attempt at once would only burn the processor.
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100);

    private readonly SocketConnectionContextFactory _connections = new(new SocketConnectionFactoryOptions(), loggers.CreateLogger<InheritedListener>());
    private readonly CancellationTokenSource _unbound = new();
    private readonly SemaphoreSlim _accepting = new(1, 1);
    private int _taken;
    private bool _closed;

    public EndPoint EndPoint => inherited.EndPoint;

    public async ValueTask<ConnectionContext?> AcceptAsync(CancellationToken cancellationToken = default)
    {
        await _accepting.WaitAsync(cancellationToken);
        try
        {
            while (!_unbound.IsCancellationRequested)
            {
                if (_taken < earlier.Length)
                    return GoOn(earlier[_taken++]);
                if (await TryAcceptAsync() is { } socket)
                    return Connect(socket);
            }

            return null;
        }
        finally
        {
            _accepting.Release();
        }
    }

    public async ValueTask UnbindAsync(CancellationToken cancellationToken = default)
    {
        await _unbound.CancelAsync();

        // Not given up, however hurried the stop is: the accept ends at once, and closing the socket during it is what must not happen.
        await _accepting.WaitAsync(CancellationToken.None);
        try
        {
            if (_closed)
                return;

            _closed = true;
            inherited.Socket.Dispose();
            foreach (var connection in earlier[_taken..])
                connection.Dispose();
        }
        finally
        {
            _accepting.Release();
        }
    }

    public async ValueTask DisposeAsync()
    {
        await UnbindAsync(CancellationToken.None);
        _connections.Dispose();
        _unbound.Dispose();
        _accepting.Dispose();
    }

    private ConnectionContext GoOn(Socket socket)
    {
        var counts = SocketCounts.Of(socket);
        var connection = Connect(socket);
        connection.Features.Set(counts);
        return connection;
    }

    private ConnectionContext Connect(Socket socket)
    {
        if (socket.LocalEndPoint is IPEndPoint)
            socket.NoDelay = true;
        return _connections.Create(socket);
    }

    /// <returns>Null: none this time.</returns>
    private async ValueTask<Socket?> TryAcceptAsync()
    {
        try
        {
            return await inherited.Socket.AcceptAsync(_unbound.Token);
        }
        catch (OperationCanceledException)
        {
            return null;
        }
        catch (SocketException exception) when (exception.SocketErrorCode is SocketError.TooManyOpenSockets or SocketError.NoBufferSpaceAvailable)
        {
            await Task.Delay(Pause, time, _unbound.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            return null;
        }
        catch (SocketException)
        {
            return null;            // its client has left before it was accepted
        }
    }
}
