using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Text;
using Orchestrator.Traffic.Handover;

namespace Orchestrator.Tests.Traffic.Handover;

/// <summary>Takes sockets into keeping as systemd does, without the rest of it: one recvmsg(2) for each message, in the layout of 64-bit Linux.</summary>
internal sealed class FakeSystemd : IDisposable
{
    private const int ControlLength = 24;
    private const int MessageLength = 56;
    private const int DoNotWait = 0x40;                 // MSG_DONTWAIT
    private const int DuplicateFrom = 0;                // F_DUPFD

    private static int _number = 5000;

    private readonly string _path = Path.Combine(Path.GetTempPath(), $"basmalin-notify-{Guid.NewGuid():N}");
    private readonly Socket _socket = new(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);

    public FakeSystemd() => _socket.Bind(new UnixDomainSocketEndPoint(_path));

    public SocketKeeping Keeping => SocketKeeping.At(_path);

    /// <summary>All that was sent so far: the messages, and the descriptors that came with them (else -1).</summary>
    public IReadOnlyList<(string Text, int Descriptor)> Take()
    {
        var all = new List<(string, int)>();
        while (Receive() is { } message) all.Add(message);
        return all;
    }

    /// <summary>
    /// Never the same number again: as long as somebody else holds the socket, this process's epoll remembers it under each number that it was closed under, and
    /// refuses to be told of it anew. A daemon takes over in a process of its own.
    /// </summary>
    public static int Duplicate(int descriptor) => NativeControl(descriptor, DuplicateFrom, Interlocked.Increment(ref _number));

    public void Dispose()
    {
        _socket.Dispose();
        File.Delete(_path);
    }

    private (string Text, int Descriptor)? Receive()
    {
        var (payload, vector, control, message) = (Marshal.AllocHGlobal(512), Marshal.AllocHGlobal(16), Marshal.AllocHGlobal(ControlLength), Marshal.AllocHGlobal(MessageLength));
        try
        {
            Marshal.Copy(new byte[MessageLength], 0, message, MessageLength);
            Marshal.WriteIntPtr(vector, 0, payload);
            Marshal.WriteIntPtr(vector, 8, 512);
            Marshal.WriteIntPtr(message, 16, vector);
            Marshal.WriteIntPtr(message, 24, 1);
            Marshal.WriteIntPtr(message, 32, control);
            Marshal.WriteIntPtr(message, 40, ControlLength);
            var length = (int)NativeReceive((int)_socket.Handle, message, DoNotWait);
            if (length < 0) return null;

            var text = new byte[length];
            Marshal.Copy(payload, text, 0, length);
            return (Encoding.UTF8.GetString(text), Marshal.ReadIntPtr(message, 40) == 0 ? -1 : Raised(Marshal.ReadInt32(control, 16)));
        }
        finally
        {
            foreach (var block in (nint[])[payload, vector, control, message]) Marshal.FreeHGlobal(block);
        }
    }

    private static int Raised(int descriptor)
    {
        var raised = Duplicate(descriptor);
        _ = NativeClose(descriptor);
        return raised;
    }

    [DllImport("libc", EntryPoint = "recvmsg", SetLastError = true), DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern nint NativeReceive(int descriptor, nint message, int flags);

    [DllImport("libc", EntryPoint = "fcntl", SetLastError = true), DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int NativeControl(int descriptor, int command, int least);

    [DllImport("libc", EntryPoint = "close", SetLastError = true), DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int NativeClose(int descriptor);
}
