using System.Collections.Immutable;

namespace Orchestrator.Agent.Api.Contracts;

/// <param name="On">True: requests are answered with the maintenance page.</param>
public sealed record MaintenanceRequest(bool On)
{
    /// <summary>Addresses and networks (CIDR) of clients that get through all the same; at most 100.</summary>
    public ImmutableArray<string>? Allow { get; init; }
}
