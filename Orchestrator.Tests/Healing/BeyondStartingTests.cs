using Orchestrator.Docker;
using Orchestrator.Healing;

namespace Orchestrator.Tests.Healing;

/// <summary>A container that the engine will not start is made anew, but never at the price of what it holds.</summary>
internal sealed class BeyondStartingTests
{
    private readonly Scene _scene = new();

    // An engine that was killed while it started a container says for ever: "task … already exists".
    [TestCase(EngineFault.Other, "app", ContainerState.Exited, ExpectedResult = true, TestName = "A_replica_that_the_engine_fails_to_start_is_made_anew")]
    [TestCase(EngineFault.Other, "database", ContainerState.Created, ExpectedResult = true, TestName = "What_never_ran_and_cannot_be_started_is_made_anew")]
    [TestCase(EngineFault.Other, "database", ContainerState.Exited, ExpectedResult = false, TestName = "What_ran_in_place_is_kept_although_the_engine_fails_to_start_it")]
    [TestCase(EngineFault.NotFound, "database", ContainerState.Exited, ExpectedResult = true, TestName = "What_misses_what_it_was_made_for_is_made_anew")]
    [TestCase(EngineFault.Unreachable, "app", ContainerState.Created, ExpectedResult = false, TestName = "An_engine_that_is_away_is_waited_for")]
    public bool Beyond(EngineFault fault, string service, ContainerState state) => HealingActs.IsBeyondStarting(
        new EngineException(fault, "", null), _scene.Picture.Release.Stack.Find(service)!, _scene[service, 1] with { State = state });
}
