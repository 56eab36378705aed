using System.Net;
using System.Net.Sockets;

namespace Orchestrator.Traffic.Handover;

/// <summary>A listening socket that somebody else has opened, systemd as a rule, and still has: closing it here refuses nobody.</summary>
/// <param name="Name">FileDescriptorName= of the unit, or what the daemon called it when it gave it into keeping.</param>
public sealed record InheritedSocket(Socket Socket, string Name)
{
    /// <summary>Where it listens.</summary>
    public EndPoint EndPoint { get; } = Socket.LocalEndPoint ?? throw new InvalidOperationException("The socket is bound nowhere.");

    /// <summary>Whether it is what <paramref name="wanted"/> asks for. Every address of the host is one thing, whether it is written for IPv6 or IPv4.</summary>
    public bool Answers(EndPoint wanted) => (wanted, EndPoint) switch
    {
        (IPEndPoint want, IPEndPoint have) => want.Port != 0 && want.Port == have.Port && (IsAny(want) && IsAny(have) || Plain(want.Address).Equals(Plain(have.Address))),
        (UnixDomainSocketEndPoint want, UnixDomainSocketEndPoint have) => string.Equals(want.ToString(), have.ToString(), StringComparison.Ordinal),
        _ => false,
    };

    /// <summary>Whether this connection came by it.</summary>
    public bool Accepted(Socket connection) => (connection.LocalEndPoint, EndPoint) is (IPEndPoint at, IPEndPoint here) && at.Port == here.Port && (IsAny(here) || Plain(at.Address).Equals(Plain(here.Address)));

    private static bool IsAny(IPEndPoint endPoint) => endPoint.Address.Equals(IPAddress.Any) || endPoint.Address.Equals(IPAddress.IPv6Any);

    private static IPAddress Plain(IPAddress address) => address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;
}
