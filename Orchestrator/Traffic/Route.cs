using Orchestrator.Traffic.Previews;
using Orchestrator.Traffic.Requests;
using Orchestrator.Traffic.Tls;

namespace Orchestrator.Traffic;

/// <summary>Which requests go to which service.</summary>
public sealed record Route
{
    public required string Stack { get; init; }

    public required string Service { get; init; }

    /// <summary>An exact name or address, <c>*.example.org</c> (one level), or <c>*</c> (any). Null for a published port.</summary>
    public string? Host { get; init; }

    /// <summary>The published port that the requests come in by; null: the main listeners.</summary>
    public PublishedEndpoint? Listener { get; init; }

    /// <summary>A prefix on segment boundaries: <c>/api</c> means <c>/api</c> and <c>/api/x</c>, never <c>/apix</c>.</summary>
    public string Path { get; init; } = "/";

    /// <summary>The port inside the container.</summary>
    public required int TargetPort { get; init; }

    /// <summary>What the edge answers itself with 200 while the service is paused or in maintenance; null: nothing.</summary>
    public string? HealthPath { get; init; }

    public required Upstream Upstream { get; init; }

    /// <summary>Its certificates and redirects; null: neither.</summary>
    public RouteTls? Tls { get; init; }

    /// <summary>What happens to its requests besides choosing a replica; null: nothing.</summary>
    public RoutePolicy? Policy { get; init; }

    /// <summary>A candidate that gets a share of the requests; null: all go to <see cref="Upstream"/>.</summary>
    public Canary? Canary { get; init; }

    /// <summary>The cookie by which a client stays at its replica; null: each request goes to the least busy one.</summary>
    public string? StickyCookie { get; init; }

    /// <summary>Who may choose the colour that answers; null: nobody.</summary>
    public PreviewRule? Preview { get; init; }

    public override string ToString() => (Listener?.ToString() ?? Host) + Path;
}
