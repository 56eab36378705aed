using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Orchestrator.Agent.Hosting;

/// <summary>An address and port to listen on, written <c>ADDR:PORT</c>; <c>*</c> is every address of the host.</summary>
/// <param name="Port">0: the system chooses.</param>
public sealed record ListenAddress(string Address, int Port)
{
    public const string Expected = "ADDRESS:PORT, e.g. 0.0.0.0:80, [::1]:9180 or *:80";

    public IPEndPoint ToEndPoint() => new(
        Address != "*" ? IPAddress.Parse(Address) : Socket.OSSupportsIPv6 ? IPAddress.IPv6Any : IPAddress.Any,
        Port);

    public static bool TryParse(string text, [NotNullWhen(true)] out ListenAddress? address)
    {
        address = null;
        var colon = text.LastIndexOf(':');
        if (colon <= 0) return false;
        if (!int.TryParse(text.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var port) || port > ushort.MaxValue) return false;

        var host = text[..colon];
        if (host == "localhost") host = "127.0.0.1";
        if (host != "*" && !IsAddress(host)) return false;

        address = new ListenAddress(host, port);
        return true;
    }

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Address}:{Port}");

    /// <summary>IPv6 only in brackets, so that its colons are not taken for the port's.</summary>
    private static bool IsAddress(string host) =>
        IPAddress.TryParse(host, out var parsed)
        && (parsed.AddressFamily == AddressFamily.InterNetworkV6) == host.StartsWith('[')
        && (parsed.AddressFamily == AddressFamily.InterNetworkV6 || host.Count(letter => letter == '.') == 3);
}
