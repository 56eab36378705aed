namespace Orchestrator.Benchmarks.Edge;

/// <summary>How long and how often.</summary>
/// <param name="ShapeRounds">For each of the other kinds of requests.</param>
internal sealed record EdgePlan(int Rounds, int ShapeRounds, int Seconds, int WarmUpSeconds, int Connections)
{
    public static EdgePlan Full { get; } = new(Rounds: 9, ShapeRounds: 5, Seconds: 2, WarmUpSeconds: 5, Connections: 32);

    /// <summary>Shows that it runs; its numbers mean nothing.</summary>
    public static EdgePlan Quick { get; } = new(Rounds: 1, ShapeRounds: 1, Seconds: 1, WarmUpSeconds: 1, Connections: 32);
}
