using System.Collections.Immutable;
using Orchestrator.Traffic.Files;

namespace Orchestrator.Traffic.Requests;

/// <summary>What happens to the requests of a route besides choosing a replica. A route without any of it has none.</summary>
public sealed record RoutePolicy
{
    /// <summary>The application does not see the route's path: <c>/api/x</c> arrives as <c>/x</c>, with <c>X-Forwarded-Prefix: /api</c>.</summary>
    public bool StripPrefix { get; init; }

    /// <summary>HTML for the proxy's own answers: a status code, or <c>maintenance</c>, → the page.</summary>
    public ImmutableSortedDictionary<string, string> Pages { get; init; } = ImmutableSortedDictionary<string, string>.Empty;

    /// <summary>The application speaks HTTP/2 without TLS (h2c), as gRPC servers do.</summary>
    public bool Http2 { get; init; }

    /// <summary>Largest request body in bytes; null: the edge's own limit.</summary>
    public long? BodyLimit { get; init; }

    public PhaseTimeouts? Timeouts { get; init; }

    public RateRule? Rate { get; init; }

    public HeaderRules? Headers { get; init; }

    /// <summary>Files that are served without the application.</summary>
    public ImmutableArray<StaticFolder> Static { get; init; } = [];

    /// <summary>Null: answers pass as they are.</summary>
    public CompressionRule? Compress { get; init; }
}
