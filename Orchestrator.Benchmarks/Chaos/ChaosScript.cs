using System.Collections.Immutable;

namespace Orchestrator.Benchmarks.Chaos;

/// <summary>Pure: what is done, in which order, from a seed. Kinds come like cards from a shuffled deck, so that none is missing from a run for long.</summary>
internal sealed class ChaosScript
{
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(8);
    private static readonly TimeSpan ShortestSpan = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestSpan = TimeSpan.FromSeconds(6);

    private static readonly ImmutableArray<ActKind> Deployments =
    [
        ActKind.Deploy, ActKind.Deploy, ActKind.DeployFailing, ActKind.DeployFailing, ActKind.DeployFailing,
        ActKind.WarmRollback, ActKind.ColdRollback, ActKind.Cancel, ActKind.RemoveCandidate,
    ];

    private static readonly ImmutableArray<ActKind> Blows =
    [
        ActKind.KillDaemon, ActKind.KillDaemon, ActKind.RestartDaemon, ActKind.StopEngine, ActKind.StopEngineLive, ActKind.KillEngine, ActKind.KillEngineLive,
        ActKind.FreezeEngine, ActKind.RemoveReplica, ActKind.RemoveOnlyReplica, ActKind.RemoveStateful, ActKind.RemoveNetwork,
    ];

    private readonly Random _random;
    private readonly Queue<ActKind> _deployments = new();
    private readonly Queue<ActKind> _blows = new();

    private ChaosScript(int seed) => _random = new Random(seed);

    /// <returns>Rounds without end, the same ones each time.</returns>
    public static IEnumerable<ChaosRound> Of(int seed)
    {
        var script = new ChaosScript(seed);
        for (var number = 1; ; number++) yield return new ChaosRound(number, script.Acts());
    }

    private ImmutableArray<ChaosAct> Acts() => _random.Next(10) switch
    {
        < 2 => [Act(Draw(_deployments, Deployments), TimeSpan.Zero)],
        < 6 => [Act(Draw(_deployments, Deployments), TimeSpan.Zero), Act(Draw(_blows, Blows), Within(LongestWait))],
        < 8 => [Act(Draw(_blows, Blows), TimeSpan.Zero)],
        < 9 => [Act(Draw(_blows, Blows), TimeSpan.Zero), Act(Draw(_blows, Blows), Within(LongestWait / 4))],
        _ => [Act(Draw(_deployments, Deployments), TimeSpan.Zero), Act(Draw(_blows, Blows), Within(LongestWait)), Act(Draw(_blows, Blows), Within(LongestWait))],
    };

    private ChaosAct Act(ActKind kind, TimeSpan after) => new(kind, after, _random.Next(1 << 16), ShortestSpan + Within(LongestSpan - ShortestSpan));

    private TimeSpan Within(TimeSpan most) => TimeSpan.FromMilliseconds(_random.Next((int)most.TotalMilliseconds));

    private ActKind Draw(Queue<ActKind> deck, ImmutableArray<ActKind> kinds)
    {
        if (deck.Count == 0)
        {
            var cards = kinds.ToArray();
            _random.Shuffle(cards);
            foreach (var card in cards) deck.Enqueue(card);
        }

        return deck.Dequeue();
    }
}
