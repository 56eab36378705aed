namespace Orchestrator.Traffic;

/// <summary>A route that somebody else has already.</summary>
/// <param name="Wanted">The route that cannot be had.</param>
/// <param name="OwnerStack">Who has it; the same stack when it wants the route twice.</param>
public sealed record RouteConflict(Route Wanted, string OwnerStack, string OwnerService)
{
    public override string ToString() => $"{Wanted} of {Wanted.Stack}/{Wanted.Service} belongs to {OwnerStack}/{OwnerService}";
}
