using System.Collections.Immutable;
using Orchestrator.Traffic.Previews;
using Orchestrator.Traffic.Requests;

namespace Orchestrator.Traffic;

/// <summary>All that the proxy knows of one stack; published as a whole, so that a release of several services shifts in one act.</summary>
/// <param name="Maintenance">Every route answers 503 with Retry-After. Previews and health paths go on working.</param>
public sealed record StackRoutes(string Stack, ImmutableArray<Route> Routes, ImmutableArray<Preview> Previews, bool Maintenance)
{
    /// <summary>Colours that run beside the live ones, for those who may choose.</summary>
    public ImmutableArray<SideColour> Sides { get; init; } = [];

    /// <summary>Clients that get through in maintenance.</summary>
    public AddressSet MaintenanceAllow { get; init; } = AddressSet.Empty;
}
