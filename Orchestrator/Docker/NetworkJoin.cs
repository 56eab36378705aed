using System.Collections.Immutable;

namespace Orchestrator.Docker;

/// <param name="Network">Its name on the engine.</param>
public sealed record NetworkJoin(string Network, ImmutableArray<string> Aliases, string? Ipv4Address = null, string? Ipv6Address = null);
