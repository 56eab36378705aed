using System.Collections.Immutable;
using Orchestrator.Deployments;

namespace Orchestrator.Benchmarks.Deploy;

/// <summary>One deployment of a new version and the rollback after it; times in milliseconds.</summary>
/// <param name="Total">From the request to the end of the deployment.</param>
/// <param name="Container">Creating and starting a container of the same image by itself, just before.</param>
/// <param name="Steps">By the journal; so are those of the rollback.</param>
/// <param name="Swap">As the shift step says.</param>
/// <param name="Rollback">From the request to the first answer of the old version that an onlooker had.</param>
internal sealed record DeployRound(
    double Total, double Container, ImmutableSortedDictionary<StepKind, double> Steps, double Swap, double Rollback, double RollbackTotal, double RollbackSwap)
{
    public required ImmutableSortedDictionary<StepKind, double> RollbackSteps { get; init; }

    public double Gate => Steps[StepKind.Gate];

    /// <summary>Outside all steps: mostly the journal's writes, which go to the disk before and after each.</summary>
    public double Between => Total - Steps.Values.Sum();

    public double RollbackBetween => RollbackTotal - RollbackSteps.Values.Sum();

    /// <summary>What the orchestrator adds to what the container needs in any case.</summary>
    public double Beyond => Total - Container - Gate;
}
