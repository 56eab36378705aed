using System.Buffers.Binary;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Text;

namespace Orchestrator.Traffic.Handover;

/// <summary>
/// Gives sockets into systemd's keeping (sd_pid_notify_with_fds(3), FDSTORE=1): listeners that no unit names, such as the ports that stacks publish, and the
/// idle connections of a daemon that ends. The next daemon gets them with its other ones, and what arrives in between waits.
/// </summary>
/// <remarks>By hand, because the framework cannot send descriptors: one sendmsg(2) with SCM_RIGHTS, in the layout of 64-bit Linux.</remarks>
public sealed class SocketKeeping
{
    /// <summary>Of a daemon that ends. FileDescriptorStoreMax= of the unit leaves room for as many published ports as there were before.</summary>
    public const int MostConnections = 1024;

    private const string Prefix = "kept-";
    private const string ConnectionName = "idle-connection";
    private const int Patience = 1000;          // milliseconds
    private const int UnixFamily = 1;           // AF_UNIX
    private const int LongestPath = 108;        // sun_path
    private const int SocketLevel = 1;          // SOL_SOCKET
    private const int Rights = 1;               // SCM_RIGHTS
    private const int NoSignal = 0x4000;        // MSG_NOSIGNAL
    private const int ControlLength = 24;       // CMSG_SPACE(sizeof(int)); its header says 20
    private const int MessageLength = 56;       // struct msghdr

    private readonly string _path;

    private SocketKeeping(string path) => _path = path;

    /// <summary>Null: no systemd to give anything to.</summary>
    public static SocketKeeping? OfProcess() =>
        Environment.GetEnvironmentVariable("NOTIFY_SOCKET") is { Length: > 1 and < LongestPath } path && path[0] is '/' or '@' && Environment.Is64BitProcess ? new SocketKeeping(path) : null;

    /// <param name="path">Of the socket at which systemd listens.</param>
    internal static SocketKeeping At(string path) => new(path);

    /// <summary>What a listener at this address is called while it is kept.</summary>
    public static string NameOf(System.Net.IPEndPoint address) => $"{Prefix}{address.ToString().Replace(':', '_')}";

    /// <summary>It was kept by a daemon before, and is not of the unit.</summary>
    public static bool IsKept(InheritedSocket socket) => socket.Name.StartsWith(Prefix, StringComparison.Ordinal);

    /// <returns>False: systemd cannot be reached. Whether it has room is not said; then the listener ends with the daemon.</returns>
    public bool Keep(Socket socket, string name) => Send($"FDSTORE=1\nFDPOLL=0\nFDNAME={name}", (int)socket.Handle);

    /// <summary>Gives a connection on which nothing is being asked into keeping. When its client leaves before somebody takes it, systemd lets go of it.</summary>
    /// <returns>False: systemd cannot be reached.</returns>
    public bool KeepConnection(Socket connection) => Send($"FDSTORE=1\nFDNAME={ConnectionName}", (int)connection.Handle);

    /// <summary>It was an idle connection of a daemon before.</summary>
    public static bool IsConnection(string name) => name == ConnectionName;

    /// <summary>Whoever has taken them has them alone from now on: where that daemon ends one, it ends.</summary>
    public bool ForgetConnections() => Forget(ConnectionName);

    public bool Forget(string name) => Send($"FDSTOREREMOVE=1\nFDNAME={name}", descriptor: -1);

    private bool Send(string text, int descriptor)
    {
        using var channel = new Socket(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified) { SendTimeout = Patience };
        var (bytes, address) = (Encoding.UTF8.GetBytes(text), Address());
        var (payload, vector, name, control, message) = (Copy(bytes), Marshal.AllocHGlobal(16), Copy(address), Copy(Control(descriptor)), Marshal.AllocHGlobal(MessageLength));
        try
        {
            Marshal.Copy(new byte[MessageLength], 0, message, MessageLength);
            Marshal.WriteIntPtr(vector, 0, payload);
            Marshal.WriteIntPtr(vector, 8, bytes.Length);
            Marshal.WriteIntPtr(message, 0, name);
            Marshal.WriteInt32(message, 8, address.Length);
            Marshal.WriteIntPtr(message, 16, vector);
            Marshal.WriteIntPtr(message, 24, 1);
            if (descriptor >= 0)
            {
                Marshal.WriteIntPtr(message, 32, control);
                Marshal.WriteIntPtr(message, 40, ControlLength);
            }

            return NativeSend((int)channel.Handle, message, NoSignal) == bytes.Length;
        }
        finally
        {
            foreach (var block in (nint[])[payload, vector, name, control, message])
                Marshal.FreeHGlobal(block);
        }
    }

    // struct sockaddr_un; a path that begins with @ is in the abstract namespace.
    private byte[] Address()
    {
        var path = Encoding.UTF8.GetBytes(_path);
        if (path[0] == '@') path[0] = 0;
        return [UnixFamily, 0, .. path];
    }

    // struct cmsghdr, and one descriptor.
    private static byte[] Control(int descriptor)
    {
        var control = new byte[ControlLength];
        BinaryPrimitives.WriteInt64LittleEndian(control, 20);
        BinaryPrimitives.WriteInt32LittleEndian(control.AsSpan(8), SocketLevel);
        BinaryPrimitives.WriteInt32LittleEndian(control.AsSpan(12), Rights);
        BinaryPrimitives.WriteInt32LittleEndian(control.AsSpan(16), descriptor);
        return control;
    }

    private static nint Copy(byte[] bytes)
    {
        var block = Marshal.AllocHGlobal(bytes.Length);
        Marshal.Copy(bytes, 0, block, bytes.Length);
        return block;
    }

    [DllImport("libc", EntryPoint = "sendmsg", SetLastError = true), DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern nint NativeSend(int descriptor, nint message, int flags);
}
