using Orchestrator.Benchmarks.Chaos;

namespace Orchestrator.Tests.Chaos;

/// <summary>A run that found something can be run again: what is done is in its seed.</summary>
internal sealed class ChaosScriptTests
{
    private const int Rounds = 60;

    [Test]
    public void The_same_seed_is_the_same_sequence_of_acts_and_another_seed_is_another()
    {
        var (first, again, other) = (Acts(1), Acts(1), Acts(2));

        Assert.That(again, Is.EqualTo(first));
        Assert.That(other, Is.Not.EqualTo(first));
    }

    [Test]
    public void No_kind_of_act_is_missing_from_a_run_and_no_round_deploys_twice()
    {
        var rounds = ChaosScript.Of(1).Take(Rounds).ToList();

        Assert.That(rounds.SelectMany(round => round.Acts).Select(act => act.Kind).Distinct(), Is.EquivalentTo(Enum.GetValues<ActKind>()));
        Assert.That(rounds.Select(round => round.Acts.Count(act => act.Deploys)), Is.All.LessThanOrEqualTo(1));
    }

    private static List<ChaosAct> Acts(int seed) => [.. ChaosScript.Of(seed).Take(Rounds).SelectMany(round => round.Acts)];
}
