using System.Collections.Immutable;
using Orchestrator.Deployments;
using Orchestrator.Docker;

namespace Orchestrator.Healing;

/// <summary>What is done now, what is given up, and what is shown.</summary>
/// <param name="Acts">In their order.</param>
/// <param name="Notes">Every difference, with what becomes of it.</param>
/// <param name="LookAgain">In how long something will be due that is not yet; null: nothing is waited for.</param>
public sealed record HealingDecision(
    ImmutableArray<HealingAct> Acts, ImmutableArray<Capitulation> GivenUp, ImmutableArray<DriftNote> Notes, TimeSpan? LookAgain);

/// <summary>A replica is given up.</summary>
/// <param name="Container">Whose last words tell more; null: there is none.</param>
/// <param name="Stop">It is stopped, so that the engine's own policy does not go on: others of the service serve.</param>
public sealed record Capitulation(ReplicaKey Key, string Subject, ContainerId? Container, string Reason, string Detail, string Hint, bool Stop);
