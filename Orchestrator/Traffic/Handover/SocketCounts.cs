using System.Buffers.Binary;
using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace Orchestrator.Traffic.Handover;

/// <summary>How many bytes of a TCP connection have passed between this side's programs and the kernel, since it was accepted.</summary>
/// <param name="Received">Read by programs; what waits in the kernel is not counted. The end of the other side counts as one.</param>
/// <param name="Sent">Written by programs, on its way or not.</param>
/// <remarks>tcp(7): TCP_INFO has what the other side has acknowledged and sent; SIOCINQ and SIOCOUTQ have what lies in the kernel's queues.</remarks>
internal sealed record SocketCounts(long Received, long Sent)
{
    /// <summary>Of a connection that is new.</summary>
    public static readonly SocketCounts None = new(0, 0);

    private const int TcpLevel = 6;             // IPPROTO_TCP
    private const int TcpInfo = 11;             // TCP_INFO
    private const int Acknowledged = 120;       // offset of tcpi_bytes_acked
    private const int Arrived = 128;            // offset of tcpi_bytes_received
    private const int InfoLength = 136;
    private const nuint InQueue = 0x541B;       // SIOCINQ
    private const nuint OutQueue = 0x5411;      // SIOCOUTQ

    /// <returns>Null: it is no TCP connection, or the kernel does not count.</returns>
    public static SocketCounts? Of(Socket socket)
    {
        if (socket.ProtocolType is not ProtocolType.Tcp) return null;

        // What passes between two of the three questions would be counted twice, or not at all: then they are asked again.
        for (var known = ReadInfo(socket); known is var (acknowledged, arrived);)
        {
            if (NativeQueue(socket.SafeHandle, InQueue, out var unread) != 0 || NativeQueue(socket.SafeHandle, OutQueue, out var unacknowledged) != 0) return null;

            var again = ReadInfo(socket);
            if (again == known) return new(arrived - unread, acknowledged + unacknowledged);
            known = again;
        }

        return null;
    }

    private static (long Acknowledged, long Arrived)? ReadInfo(Socket socket)
    {
        Span<byte> info = stackalloc byte[InfoLength];
        return socket.GetRawSocketOption(TcpLevel, TcpInfo, info) < InfoLength
            ? null
            : (BinaryPrimitives.ReadInt64LittleEndian(info[Acknowledged..]), BinaryPrimitives.ReadInt64LittleEndian(info[Arrived..]));
    }

    [DllImport("libc", EntryPoint = "ioctl", SetLastError = true), DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int NativeQueue(SafeSocketHandle socket, nuint request, out int bytes);
}
