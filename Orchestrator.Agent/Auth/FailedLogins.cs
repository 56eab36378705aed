using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace Orchestrator.Agent.Auth;

/// <summary>Turns an address away that has presented too many wrong tokens within a minute.</summary>
internal sealed class FailedLogins(int limit, TimeProvider time)
{
    private const int MostAddresses = 10_000;
    private static readonly TimeSpan Window = TimeSpan.FromMinutes(1);
    private readonly ConcurrentDictionary<string, Attempts> _attempts = new(StringComparer.Ordinal);

    /// <summary>How long the address has to wait; null: it may try.</summary>
    public TimeSpan? MustWait(IPAddress? address)
    {
        if (!_attempts.TryGetValue(Key(address), out var attempts) || attempts.Count < limit) return null;

        var left = Window - time.GetElapsedTime(attempts.Since);
        return left > TimeSpan.Zero ? left : null;
    }

    public void Add(IPAddress? address)
    {
        var now = time.GetTimestamp();

        // Many addresses at once must not fill the memory: then what is over is forgotten, and if nothing is over, all of it.
        if (_attempts.Count >= MostAddresses)
        {
            foreach (var (key, attempts) in _attempts)
            {
                if (Over(attempts, now)) _attempts.TryRemove(key, out _);
            }

            if (_attempts.Count >= MostAddresses) _attempts.Clear();
        }

        _attempts.AddOrUpdate(
            Key(address),
            _ => new Attempts(1, now),
            (_, attempts) => Over(attempts, now) ? new Attempts(1, now) : attempts with { Count = attempts.Count + 1 });
    }

    private bool Over(Attempts attempts, long now) => time.GetElapsedTime(attempts.Since, now) >= Window;

    /// <summary>One guest has a whole /64 of IPv6.</summary>
    private static string Key(IPAddress? address)
    {
        if (address is null) return "";
        if (address.IsIPv4MappedToIPv6) address = address.MapToIPv4();
        return address.AddressFamily == AddressFamily.InterNetworkV6 ? Convert.ToHexString(address.GetAddressBytes(), 0, 8) : address.ToString();
    }

    private sealed record Attempts(int Count, long Since);
}
