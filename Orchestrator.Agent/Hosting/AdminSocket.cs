using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Orchestrator.Agent.Auth;

namespace Orchestrator.Agent.Hosting;

/// <summary>
/// The unix socket of the administrator: mode 0600 before anybody can connect, and the kernel is asked who is at the other end.
/// </summary>
internal static class AdminSocket
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    /// <summary>Makes room at the path. A socket that nobody answers at is what a killed daemon has left.</summary>
    /// <returns>What is in the way; null: nothing.</returns>
    public static string? Prepare(string path)
    {
        if (Path.GetDirectoryName(path) is { } directory) Directory.CreateDirectory(directory);
        if (!File.Exists(path)) return null;

        using var probe = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            probe.Connect(new UnixDomainSocketEndPoint(path));
            return $"another daemon listens on {path}";
        }
        catch (SocketException exception) when (exception.SocketErrorCode == SocketError.ConnectionRefused)
        {
            File.Delete(path);
            return null;
        }
        catch (SocketException exception)
        {
            return $"{path} is in the way: {exception.Message}";
        }
    }

    public static void Listen(KestrelServerOptions kestrel, string path) => kestrel.ListenUnixSocket(path, listen => listen.Use(next => connection =>
    {
        var peer = connection.Features.Get<IConnectionSocketFeature>() is { Socket: { } socket } ? PeerCredential.Of(socket) : null;
        if (peer is not { MayDrive: true })
        {
            connection.Abort(new ConnectionAbortedException("The admin socket is for root, the daemon's own user and the members of its group."));
            return Task.CompletedTask;
        }

        connection.Features.Set(peer);
        return next(connection);
    }));

    /// <summary>The mode is set between bind and listen: at no time can another user connect.</summary>
    public static Socket Bind(EndPoint endPoint)
    {
        if (endPoint is not UnixDomainSocketEndPoint) return SocketTransportOptions.CreateDefaultBoundListenSocket(endPoint);

        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            socket.Bind(endPoint);
            if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(endPoint.ToString() ?? "", OwnerOnly);
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
