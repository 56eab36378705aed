using System.Collections.Immutable;
using System.Globalization;
using Orchestrator.Traffic.Previews;
using Orchestrator.Traffic.Requests;

namespace Orchestrator.Traffic;

/// <summary>Where a matched request goes, with all that can be worked out before it comes.</summary>
internal sealed class RouteTarget
{
    private readonly ImmutableArray<string> _destinations;

    public RouteTarget(Upstream upstream, int port, ServiceEdge service, UpstreamSeries series)
    {
        Upstream = upstream;
        Service = service;
        Series = series;
        _destinations = [.. upstream.Replicas.Select(replica => Destination(replica.Host, port))];
    }

    public Upstream Upstream { get; }

    public ServiceEdge Service { get; }

    public UpstreamSeries Series { get; }

    /// <summary>Null: a preview.</summary>
    public Route? Route { get; init; }

    /// <summary>Null: the stack is in service.</summary>
    public MaintenanceMode? Maintenance { get; init; }

    /// <summary>What happens to its requests besides; null: nothing.</summary>
    public RouteRules? Rules { get; init; }

    /// <summary>Null: all requests stay here.</summary>
    public CanaryTarget? Canary { get; init; }

    /// <summary>What leads to other colours; null: nobody may choose.</summary>
    public ColourChoice? Choice { get; init; }

    /// <summary>Null: each request goes to the least busy replica.</summary>
    public StickyReplicas? Sticky { get; init; }

    /// <summary>Its requests are held. Previews pass.</summary>
    public bool IsPaused => Service.Pause is not null && Route is not null;

    /// <summary>Scheme, address and port of the replica, without a slash at the end.</summary>
    public string DestinationOf(in Lease lease) => _destinations[lease.Index];

    private static string Destination(string host, int port)
    {
        var bracketed = host.Contains(':', StringComparison.Ordinal) ? $"[{host}]" : host;
        return string.Create(CultureInfo.InvariantCulture, $"http://{bracketed}:{port}");
    }
}
