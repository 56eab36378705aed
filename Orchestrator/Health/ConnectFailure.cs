using System.Net.Sockets;

namespace Orchestrator.Health;

/// <summary>Words for a connection that did not come about.</summary>
internal static class ConnectFailure
{
    public static ProbeResult Result(string asked, SocketException failure) => failure.SocketErrorCode switch
    {
        SocketError.ConnectionRefused => Failed(asked, "connection refused", ProbeHint.WrongPort),
        SocketError.HostNotFound or SocketError.NoData or SocketError.TryAgain => Failed(asked, "the name has no address", ProbeHint.Unreachable),
        SocketError.HostUnreachable or SocketError.NetworkUnreachable or SocketError.TimedOut => Failed(asked, failure.Message, ProbeHint.Unreachable),
        SocketError.ConnectionReset => Failed(asked, "the connection was reset", null),
        _ => Failed(asked, failure.Message, null),
    };

    private static ProbeResult Failed(string asked, string seen, ProbeHint? hint) => new(false, $"{asked}: {seen}") { Hint = hint };
}
