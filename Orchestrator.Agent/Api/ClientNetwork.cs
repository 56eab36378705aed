using System.Net;
using System.Net.Sockets;

namespace Orchestrator.Agent.Api;

/// <summary>How networks of clients are written: an address by itself is one of a single address.</summary>
internal static class ClientNetwork
{
    public const string Expected = "an address or a network, e.g. 192.0.2.7, 10.0.0.0/8 or 2001:db8::/32";

    public static bool TryParse(string text, out IPNetwork network)
    {
        if (IPAddress.TryParse(text, out var address) && (address.AddressFamily is AddressFamily.InterNetworkV6 || text.Split('.').Length == 4))
        {
            network = new IPNetwork(address, address.AddressFamily is AddressFamily.InterNetworkV6 ? 128 : 32);
            return true;
        }

        return IPNetwork.TryParse(text, out network);
    }
}
