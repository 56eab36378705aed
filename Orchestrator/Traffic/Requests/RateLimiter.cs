using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;

namespace Orchestrator.Traffic.Requests;

/// <summary>
/// Holds a route to its <see cref="RateRule"/> by the generic cell rate algorithm (ITU-T I.371): one number for each client, the time at which it
/// would be back at rest. Memory is bounded: where too many clients meet, the one nearest to rest is forgotten.
/// </summary>
internal sealed class RateLimiter
{
    // 2,048 sets of 8 clients; a set is made when its first client comes: 512 KiB when all are there.
    private const int Sets = 2048;
    private const int Ways = 8;

    private readonly TimeProvider _time;
    private readonly Set?[] _sets;
    private readonly long _interval;
    private readonly long _tolerance;

    public RateLimiter(RateRule rule, TimeProvider time)
    {
        Rule = rule;
        _time = time;
        _sets = new Set?[rule.ByClient ? Sets : 1];
        _interval = Math.Max(1, (long)(rule.Per.TotalSeconds * time.TimestampFrequency / rule.Requests));
        _tolerance = _interval * (rule.Burst - 1);
    }

    public RateRule Rule { get; }

    /// <summary>Counts a request. Null: it may pass; else how long until one may, and it is not counted.</summary>
    public TimeSpan? Wait(IPAddress? client)
    {
        var key = Rule.ByClient ? KeyOf(client) : UInt128.Zero;
        var place = Rule.ByClient ? (int)((uint)key.GetHashCode() % Sets) : 0;
        var set = Volatile.Read(ref _sets[place]) ?? Make(ref _sets[place]);
        return set.Wait(key, _time.GetTimestamp(), _interval, _tolerance) is var ticks and > 0 ? TimeSpan.FromSeconds(ticks / (double)_time.TimestampFrequency) : null;
    }

    private static Set Make(ref Set? place)
    {
        var made = new Set();
        return Interlocked.CompareExchange(ref place, made, null) ?? made;
    }

    // A customer has a /64 of IPv6 at least: each of its addresses for itself would be no limit.
    private static UInt128 KeyOf(IPAddress? client)
    {
        if (client is null)
            return UInt128.Zero;

        Span<byte> bytes = stackalloc byte[16];
        bytes.Clear();
        client.TryWriteBytes(bytes, out var written);
        if (client.AddressFamily is AddressFamily.InterNetworkV6 && !client.IsIPv4MappedToIPv6)
            bytes[8..].Clear();
        return BinaryPrimitives.ReadUInt128BigEndian(bytes) ^ (UInt128)(uint)written;
    }

    private sealed class Set
    {
        private readonly Lock _gate = new();
        private readonly (UInt128 Key, long RestAt)[] _clients = new (UInt128, long)[Ways];

        public long Wait(UInt128 key, long now, long interval, long tolerance)
        {
            lock (_gate)
            {
                ref var client = ref _clients[Find(key)];
                var rest = client.Key == key ? Math.Max(client.RestAt, now) : now;
                if (rest - now > tolerance)
                    return rest - now - tolerance;

                client = (key, rest + interval);
                return 0;
            }
        }

        private int Find(UInt128 key)
        {
            var oldest = 0;
            for (var i = 0; i < Ways; i++)
            {
                if (_clients[i].Key == key)
                    return i;
                if (_clients[i].RestAt < _clients[oldest].RestAt)
                    oldest = i;
            }

            return oldest;
        }
    }
}
