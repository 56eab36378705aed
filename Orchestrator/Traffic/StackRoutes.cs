using System.Collections.Immutable;

namespace Orchestrator.Traffic;

/// <summary>All that the proxy knows of one stack; published as a whole, so that a release of several services shifts in one act.</summary>
/// <param name="Maintenance">Every route answers 503 with Retry-After. Previews go on working.</param>
public sealed record StackRoutes(string Stack, ImmutableArray<Route> Routes, ImmutableArray<Preview> Previews, bool Maintenance);
