using Orchestrator.Traffic;

namespace Orchestrator.Deployments;

/// <summary>A generation has other replicas than before.</summary>
/// <param name="Old">No request goes there any more.</param>
/// <param name="New">Has the traffic.</param>
public sealed record Renewal(Upstream Old, Upstream New)
{
    /// <summary>Empties the replicas that have gone; clients of the others notice nothing.</summary>
    public Task<DrainReport> LetGoAsync(DrainBudget budget, CancellationToken cancellationToken) => Old.LetGoAsync(New.Replicas, budget, cancellationToken);
}
