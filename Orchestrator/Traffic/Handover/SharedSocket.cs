using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace Orchestrator.Traffic.Handover;

/// <summary>A socket of which several descriptors stand for the same connection, here or in other processes.</summary>
internal static class SharedSocket
{
    private const int SocketLevel = 1;              // SOL_SOCKET
    private const int LeastReceived = 18;           // SO_RCVLOWAT
    private const int DuplicateOnExec = 1030;       // F_DUPFD_CLOEXEC
    private const int SetDescriptorFlags = 2;       // F_SETFD

    /// <summary>Bytes that arrive wake no reader, until <see cref="Wake"/>; one that is awake already reads them. (socket(7): SO_RCVLOWAT.)</summary>
    public static void Hush(Socket socket) => SetLeast(socket, int.MaxValue);

    /// <summary>Wakes the reader, at once where something has come. Of a socket that is closed: nothing.</summary>
    public static void Wake(Socket socket)
    {
        try
        {
            SetLeast(socket, 1);
        }
        catch (Exception closed) when (closed is ObjectDisposedException or SocketException)
        {
            // Nobody reads from it any more.
        }
    }

    /// <summary>Another descriptor of the same connection.</summary>
    public static Socket Duplicate(Socket socket)
    {
        var descriptor = NativeControl(socket.SafeHandle, DuplicateOnExec, 0);
        return descriptor >= 0 ? new Socket(new SafeSocketHandle(descriptor, ownsHandle: true)) : throw new SocketException(Marshal.GetLastPInvokeError());
    }

    /// <summary>Closes this descriptor, and leaves the connection as it is for whoever has another. Calls that are under way on it have ended when this returns.</summary>
    /// <remarks>
    /// .NET disconnects a socket that it closes during a call, unless it may be shared (it has no FD_CLOEXEC); and lets the last one that closes it reset the
    /// connection, which is taken back.
    /// </remarks>
    public static void LetGo(Socket socket, Socket other)
    {
        _ = NativeControl(socket.SafeHandle, SetDescriptorFlags, 0);
        socket.Dispose();
        other.LingerState = new LingerOption(enable: false, seconds: 0);
    }

    private static void SetLeast(Socket socket, int bytes) => socket.SetRawSocketOption(SocketLevel, LeastReceived, MemoryMarshal.AsBytes(new ReadOnlySpan<int>(in bytes)));

    [DllImport("libc", EntryPoint = "fcntl", SetLastError = true), DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int NativeControl(SafeSocketHandle socket, int command, int argument);
}
