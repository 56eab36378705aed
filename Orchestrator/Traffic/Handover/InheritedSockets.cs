using System.Collections.Immutable;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace Orchestrator.Traffic.Handover;

/// <summary>
/// The listeners that systemd hands over to a service (sd_listen_fds(3)): descriptors from 3 on, LISTEN_FDS of them, when LISTEN_PID is this process.
/// Each is taken by the setting that names its address; what no setting names is left, to be complained about. Among them are idle connections of the daemon
/// before, which go with the listener that they came by.
/// </summary>
public sealed class InheritedSockets
{
    private const int FirstDescriptor = 3;
    private const int SetDescriptorFlags = 2;       // F_SETFD
    private const int CloseOnExec = 1;              // FD_CLOEXEC
    private const int SocketLevel = 1;              // SOL_SOCKET
    private const int AcceptsConnections = 30;      // SO_ACCEPTCONN

    private readonly Lock _gate = new();
    private ImmutableArray<InheritedSocket> _left;
    private ImmutableArray<Socket> _connections;

    private InheritedSockets(ImmutableArray<InheritedSocket> sockets, ImmutableArray<Socket> connections, ImmutableArray<string> problems)
    {
        _left = sockets;
        _connections = connections;
        Connections = connections.Length;
        Problems = problems;
        Any = !sockets.IsEmpty;
    }

    public static InheritedSockets None { get; } = new([], [], []);

    /// <summary>Something was handed over: somebody holds connections that arrive while no daemon runs.</summary>
    public bool Any { get; }

    /// <summary>How many idle connections were handed over.</summary>
    public int Connections { get; }

    /// <summary>Descriptors that cannot be used, and why.</summary>
    public ImmutableArray<string> Problems { get; }

    /// <summary>Handed over, and not taken by anything.</summary>
    public ImmutableArray<InheritedSocket> Left
    {
        get
        {
            lock (_gate)
                return _left;
        }
    }

    /// <summary>Takes what was handed over to this process. The variables are removed: they are not for its children.</summary>
    public static InheritedSockets OfProcess()
    {
        var (process, count, names) = (Take("LISTEN_PID"), Take("LISTEN_FDS"), Take("LISTEN_FDNAMES"));
        if (!int.TryParse(process, NumberStyles.None, CultureInfo.InvariantCulture, out var owner) || owner != Environment.ProcessId) return None;
        if (!int.TryParse(count, NumberStyles.None, CultureInfo.InvariantCulture, out var descriptors) || descriptors < 1) return None;

        return Of(Enumerable.Range(FirstDescriptor, descriptors), (names ?? "").Split(':'));
    }

    /// <summary>The descriptors, in the order of their names; all of them are closed on exec from now on.</summary>
    public static InheritedSockets Of(IEnumerable<int> descriptors, IReadOnlyList<string> names)
    {
        var sockets = ImmutableArray.CreateBuilder<InheritedSocket>();
        var connections = ImmutableArray.CreateBuilder<Socket>();
        var problems = ImmutableArray.CreateBuilder<string>();
        foreach (var (index, descriptor) in descriptors.Index())
        {
            var name = index < names.Count ? names[index] : "";
            _ = NativeControl(descriptor, SetDescriptorFlags, CloseOnExec);     // fails for what is no descriptor, as the next lines say
            if (SocketKeeping.IsConnection(name))
            {
                if (OpenConnection(descriptor) is { } connection) connections.Add(connection);
            }
            else if (Open(descriptor, name, out var problem) is { } socket)
                sockets.Add(socket);
            else
                problems.Add($"descriptor {descriptor.ToString(CultureInfo.InvariantCulture)} ('{name}'): {problem}");
        }

        return new InheritedSockets(sockets.ToImmutable(), connections.ToImmutable(), problems.ToImmutable());
    }

    /// <summary>The listener at this address, for good; null: none was handed over, or it is taken.</summary>
    public InheritedSocket? Claim(EndPoint wanted)
    {
        lock (_gate)
        {
            var found = _left.FirstOrDefault(socket => socket.Answers(wanted));
            if (found is not null)
                _left = _left.Remove(found);
            return found;
        }
    }

    /// <summary>The idle connections that came by this listener, for good.</summary>
    public ImmutableArray<Socket> ClaimConnections(InheritedSocket listener)
    {
        lock (_gate)
        {
            var found = _connections.Where(listener.Accepted).ToImmutableArray();
            _connections = _connections.RemoveRange(found);
            return found;
        }
    }

    /// <summary>Lets go of those that nothing has taken.</summary>
    /// <returns>Which listeners they were.</returns>
    public ImmutableArray<InheritedSocket> Release()
    {
        ImmutableArray<InheritedSocket> left;
        ImmutableArray<Socket> connections;
        lock (_gate)
        {
            (left, _left) = (_left, []);
            (connections, _connections) = (_connections, []);
        }

        foreach (var socket in left.Select(listener => listener.Socket).Concat(connections))
            socket.Dispose();
        return left;
    }

    /// <summary>Whether one is there for this address.</summary>
    public bool Has(EndPoint wanted) => Left.Any(socket => socket.Answers(wanted));

    private static InheritedSocket? Open(int descriptor, string name, out string problem)
    {
        Socket? socket = null;
        try
        {
            socket = new Socket(new SafeSocketHandle(descriptor, ownsHandle: true));
            var listens = new byte[4];
            problem = "it is not a stream socket that listens: ListenStream= is what is needed";
            if (socket.SocketType is SocketType.Stream && socket.GetRawSocketOption(SocketLevel, AcceptsConnections, listens) == 4 && listens[0] != 0)
                return new InheritedSocket(socket, name);
        }
        catch (SocketException exception)
        {
            problem = exception.Message;
        }

        socket?.Dispose();
        return null;
    }

    /// <returns>Null: its client has left meanwhile.</returns>
    private static Socket? OpenConnection(int descriptor)
    {
        Socket? socket = null;
        try
        {
            socket = new Socket(new SafeSocketHandle(descriptor, ownsHandle: true));
            if (socket is { Connected: true, RemoteEndPoint: not null }) return socket;
        }
        catch (SocketException)
        {
            // As below.
        }

        socket?.Dispose();
        return null;
    }

    private static string? Take(string variable)
    {
        var value = Environment.GetEnvironmentVariable(variable);
        Environment.SetEnvironmentVariable(variable, null);
        return value;
    }

    [DllImport("libc", EntryPoint = "fcntl", SetLastError = true), DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int NativeControl(int descriptor, int command, int argument);
}
