using System.Collections.Immutable;

namespace Orchestrator.Traffic;

/// <summary>One stack's routes with their targets worked out.</summary>
internal sealed record CompiledStack(
    StackRoutes Source,
    ImmutableArray<(Route Route, RouteTarget Target)> Routes,
    ImmutableArray<(Preview Preview, RouteTarget Target)> Previews);
