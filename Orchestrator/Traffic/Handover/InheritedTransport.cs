using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.Logging;

namespace Orchestrator.Traffic.Handover;

/// <summary>Listens at what was handed over where there is something for an address, and opens the address itself where there is not.</summary>
/// <param name="otherwise">Null: addresses for which nothing was handed over are somebody else's to open.</param>
public sealed class InheritedTransport(InheritedSockets sockets, SocketTransportFactory? otherwise, ILoggerFactory loggers, TimeProvider time)
    : IConnectionListenerFactory, IConnectionListenerFactorySelector
{
    /// <summary>How many connections may wait to be accepted; the kernel takes no more than its net.core.somaxconn.</summary>
    public const int Backlog = 4096;

    // systemd lets go of a forgotten socket when it gets round to it.
    private static readonly TimeSpan Forgetting = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(20);

    private readonly ConcurrentBag<InheritedListener> _listening = [];
    private long _forgotten = long.MinValue;

    /// <summary>Who keeps the listeners that are opened here for the next daemon; null: nobody.</summary>
    public SocketKeeping? Keeping { get; init; }

    public bool CanBind(EndPoint endpoint) => otherwise?.CanBind(endpoint) is true || sockets.Has(endpoint);

    public async ValueTask<IConnectionListener> BindAsync(EndPoint endpoint, CancellationToken cancellationToken = default)
    {
        if (sockets.Claim(endpoint) is { } socket) return Listen(socket);
        if (otherwise is null) throw new InvalidOperationException($"Nothing was handed over for {endpoint}.");

        return Keeping is not null && endpoint is IPEndPoint { Port: not 0 } address
            ? await OpenKeptAsync(Keeping, address, cancellationToken)
            : await otherwise.BindAsync(endpoint, cancellationToken);
    }

    /// <summary>From now on connections wait in the kernel, for whoever takes the sockets next.</summary>
    public async Task StopAcceptingAsync()
    {
        while (_listening.TryTake(out var listener))
            await listener.UnbindAsync(CancellationToken.None);
    }

    /// <summary>The listener at this address is not wanted any more: nobody keeps it.</summary>
    public void Forget(IPEndPoint address)
    {
        Keeping?.Forget(SocketKeeping.NameOf(address));
        Volatile.Write(ref _forgotten, time.GetTimestamp());
    }

    private async Task<IConnectionListener> OpenKeptAsync(SocketKeeping keeping, IPEndPoint address, CancellationToken cancellationToken)
    {
        while (true)
        {
            Socket? socket = null;
            try
            {
                socket = SocketTransportOptions.CreateDefaultBoundListenSocket(address);
                socket.Listen(Backlog);
                keeping.Keep(socket, SocketKeeping.NameOf(address));
                return Listen(new InheritedSocket(socket, SocketKeeping.NameOf(address)));
            }
            catch (SocketException exception) when (exception.SocketErrorCode == SocketError.AddressAlreadyInUse)
            {
                socket?.Dispose();
                var forgotten = Volatile.Read(ref _forgotten);
                if (forgotten == long.MinValue || time.GetElapsedTime(forgotten) > Forgetting) throw new AddressInUseException(exception.Message, exception);
            }
            catch
            {
                socket?.Dispose();
                throw;
            }

            await Task.Delay(Pause, time, cancellationToken);
        }
    }

    private InheritedListener Listen(InheritedSocket socket)
    {
        var listener = new InheritedListener(socket, sockets.ClaimConnections(socket), loggers, time);
        _listening.Add(listener);
        return listener;
    }
}
