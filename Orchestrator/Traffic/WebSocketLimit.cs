using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace Orchestrator.Traffic;

/// <summary>How many WebSockets each client has open. IPv6 clients are counted by their network of 64 bits, since one client has all of it.</summary>
internal sealed class WebSocketLimit(int perClient)
{
    private readonly ConcurrentDictionary<IPAddress, int> _open = [];

    /// <summary>Clients that have any open; nobody else is remembered.</summary>
    public int Clients => _open.Count;

    /// <returns>False: it has as many as it may. True: say <see cref="Leave"/> when it ends.</returns>
    public bool TryEnter(IPAddress? client)
    {
        var key = KeyOf(client);
        while (true)
        {
            if (_open.TryGetValue(key, out var open))
            {
                if (open >= perClient)
                    return false;
                if (_open.TryUpdate(key, open + 1, open))
                    return true;
            }
            else if (_open.TryAdd(key, 1))
            {
                return true;
            }
        }
    }

    public void Leave(IPAddress? client)
    {
        var key = KeyOf(client);
        while (_open.TryGetValue(key, out var open))
        {
            if (open > 1 ? _open.TryUpdate(key, open - 1, open) : _open.TryRemove(KeyValuePair.Create(key, open)))
                return;
        }
    }

    private static IPAddress KeyOf(IPAddress? client)
    {
        if (client is null or { AddressFamily: not AddressFamily.InterNetworkV6 })
            return client ?? IPAddress.None;
        if (client.IsIPv4MappedToIPv6)
            return client.MapToIPv4();

        Span<byte> bytes = stackalloc byte[16];
        client.TryWriteBytes(bytes, out _);
        bytes[8..].Clear();
        return new IPAddress(bytes);
    }
}
