using System.Collections.Immutable;
using Orchestrator.Deployments;
using Orchestrator.Planning;
using Orchestrator.Stacks;
using Orchestrator.Tests.Journal.Sqlite;

namespace Orchestrator.Tests.Deployments;

/// <summary>A rollback to the warm colour: its candidate is what was warm, and its commit makes something else warm.</summary>
public sealed class WarmSwapTests
{
    [Test]
    public void The_candidate_is_the_same_generation_before_and_after_the_commit_for_whoever_takes_it_up_again()
    {
        var action = new ServiceAction("app", ServiceActionKind.Replace, [], [], new(Colour.Green, 2), Colour.Blue, AfterShift: false);
        var deployment = new Deployment
        {
            Id = new(3),
            Request = JournalFixture.Deploy("garden") with { Kind = DeploymentKind.Rollback },
            State = DeploymentState.Running,
            CreatedAt = default,
            Release = 1,
            Before = State(current: 2, warm: new(Colour.Blue, 1)),
            Plan = new Plan { Stack = "garden", Services = [action], WarmSwap = true },
        };

        foreach (var now in (StackState[])[State(current: 2, warm: new(Colour.Blue, 1)), State(current: 1, warm: new(Colour.Green, 2))])
            Assert.That(new DeploymentWork(deployment, now, null).CandidateOf(action), Is.EqualTo(new Generation(Colour.Blue, 1)));
    }

    private static StackState State(int current, Generation warm) => new()
    {
        Stack = "garden",
        CurrentRelease = current,
        Warm = new WarmState(warm.Release, ImmutableSortedDictionary<string, Generation>.Empty.Add("app", warm), new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero)),
    };
}
