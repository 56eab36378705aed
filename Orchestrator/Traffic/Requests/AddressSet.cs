using System.Collections.Immutable;
using System.Net;

namespace Orchestrator.Traffic.Requests;

/// <summary>A set of networks. An IPv4 address that comes as IPv6 is looked up as what it is.</summary>
public sealed class AddressSet(ImmutableArray<IPNetwork> networks)
{
    /// <summary>The networks as they were given.</summary>
    public ImmutableArray<IPNetwork> Networks { get; } = networks;

    public static AddressSet Empty { get; } = new([]);

    public bool Contains(IPAddress? address)
    {
        if (address is null || Networks.IsEmpty)
            return false;

        var plain = address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;
        foreach (var network in Networks)
        {
            if (network.Contains(plain))
                return true;
        }

        return false;
    }
}
