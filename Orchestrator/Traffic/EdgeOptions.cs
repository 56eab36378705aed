using System.Collections.Immutable;
using System.Net;
using Orchestrator.Traffic.Requests;
using Orchestrator.Traffic.Tls;

namespace Orchestrator.Traffic;

/// <summary>How the edge listens and how patient it is.</summary>
public sealed record EdgeOptions
{
    /// <summary>The main listeners, for plain HTTP. Port 0: any free one.</summary>
    public ImmutableArray<IPEndPoint> Http { get; init; } = [];

    /// <summary>The main listeners for HTTPS; there are none without <see cref="Tls"/>. Port 0: any free one.</summary>
    public ImmutableArray<IPEndPoint> Https { get; init; } = [];

    /// <summary>The port that clients are sent to for HTTPS, where it is mapped; null: that of the first HTTPS listener.</summary>
    public int? PublicHttpsPort { get; init; }

    /// <summary>What the HTTPS listeners prove themselves with.</summary>
    public EdgeTls? Tls { get; init; }

    /// <summary>Proxies in front whose word about their clients is taken; null: none.</summary>
    public AddressSet? TrustedProxies { get; init; }

    /// <summary>What one client may ask of the edge.</summary>
    public EdgeLimits Limits { get; init; } = new();

    /// <summary>Null: requests are not written down.</summary>
    public AccessLogOptions? AccessLog { get; init; }

    /// <summary>How many requests of one service may wait for a replica; the next ones are answered 503.</summary>
    public int HoldLimit { get; init; } = 1000;

    /// <summary>
    /// How many bytes the held requests of one service may take in memory; the next ones are answered 503. A held body is not read by us, but the
    /// server reads ahead up to 1 MiB of it: its length, or 1 MiB where that is less or not said, counts, with the headers.
    /// </summary>
    public long HoldBytes { get; init; } = 128 << 20;

    /// <summary>How long one request may wait for a replica, all its waits together.</summary>
    public TimeSpan HoldFor { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How long a replica may take to accept a connection before the next one is tried.</summary>
    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>How long a request, a stream or a WebSocket may pass without a byte in either direction. Quiet event streams are normal.</summary>
    public TimeSpan ActivityTimeout { get; init; } = TimeSpan.FromHours(1);

    /// <summary>What a client that gets 503 is told to wait.</summary>
    public TimeSpan RetryAfter { get; init; } = TimeSpan.FromSeconds(5);
}
