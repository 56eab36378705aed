using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Orchestrator.Traffic.Requests;

/// <summary>What one client may ask of the edge's listeners.</summary>
public sealed record EdgeLimits
{
    /// <summary>Largest request body in bytes; null: any.</summary>
    public long? Body { get; init; }

    /// <summary>Largest size of all headers of a request together, in bytes.</summary>
    public int Headers { get; init; } = 32 * 1024;

    public int HeaderCount { get; init; } = 100;

    /// <summary>
    /// Connections that each listener has open at once, and WebSockets over HTTP/1.1 besides; the next ones are closed, or not upgraded. Null: as many as the process may open.</summary>
    public long? Connections { get; init; }

    /// <summary>WebSockets that one client address has open at once, all stacks together; the next ones are answered 429. Null: any number.</summary>
    public int? WebSocketsPerClient { get; init; } = 1000;

    /// <summary>How long a client may take to send the headers of a request.</summary>
    public TimeSpan HeaderTimeout { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>Bytes per second below which an upload or a download ends, averaged after the first minute. Long pauses are the application's
    /// business; a client that has died is not.</summary>
    public double MinDataRate { get; init; } = 1;

    /// <summary>How long a connection may be open without a request.</summary>
    public TimeSpan KeepAlive { get; init; } = TimeSpan.FromMinutes(2);

    /// <summary>The time at the beginning of an upload or a download in which its rate does not count. More than a second.</summary>
    internal TimeSpan RateGrace { get; init; } = TimeSpan.FromMinutes(1);

    internal void Apply(KestrelServerLimits limits)
    {
        limits.MaxRequestBodySize = Body;
        limits.MaxRequestLineSize = 16 * 1024;
        limits.MaxRequestHeadersTotalSize = Headers;
        limits.MaxRequestHeaderCount = HeaderCount;
        limits.MaxConcurrentConnections = Connections;

        // What was upgraded is not among those any more.
        limits.MaxConcurrentUpgradedConnections = Connections;
        limits.RequestHeadersTimeout = HeaderTimeout;
        limits.KeepAliveTimeout = KeepAlive;
        limits.MinRequestBodyDataRate = new MinDataRate(MinDataRate, RateGrace);
        limits.MinResponseDataRate = new MinDataRate(Math.Max(MinDataRate, 240), RateGrace);
    }
}
