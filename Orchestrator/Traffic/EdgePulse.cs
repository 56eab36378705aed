using System.Net;
using System.Net.Sockets;

namespace Orchestrator.Traffic;

/// <summary>Whether a listener is alive: asked something that is no request, it refuses, or closes; counted and written down nowhere.</summary>
internal static class EdgePulse
{
    private static readonly byte[] Nonsense = "?\r\n\r\n"u8.ToArray();

    public static async Task<bool> BeatsAsync(IPEndPoint address, TimeSpan limit, TimeProvider time)
    {
        using var patience = new CancellationTokenSource(limit, time);
        using var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            await socket.ConnectAsync(Reachable(address), patience.Token);
            await socket.SendAsync(Nonsense, patience.Token);
            await socket.ReceiveAsync(new byte[64], patience.Token);
            return true;
        }
        catch (SocketException exception)
        {
            // It has accepted and closed at once, as at the limit of its connections.
            return exception.SocketErrorCode is SocketError.ConnectionReset or SocketError.Shutdown;
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }

    private static IPEndPoint Reachable(IPEndPoint address) =>
        address.Address.Equals(IPAddress.Any) ? new IPEndPoint(IPAddress.Loopback, address.Port)
        : address.Address.Equals(IPAddress.IPv6Any) ? new IPEndPoint(IPAddress.IPv6Loopback, address.Port)
        : address;
}
