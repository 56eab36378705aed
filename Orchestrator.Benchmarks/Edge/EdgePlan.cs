namespace Orchestrator.Benchmarks.Edge;

/// <summary>How long and how often.</summary>
internal sealed record EdgePlan(int Rounds, int Seconds, int WarmUpSeconds, int Connections)
{
    public static EdgePlan Full { get; } = new(Rounds: 9, Seconds: 2, WarmUpSeconds: 5, Connections: 32);

    /// <summary>Shows that it runs; its numbers mean nothing.</summary>
    public static EdgePlan Quick { get; } = new(Rounds: 1, Seconds: 1, WarmUpSeconds: 1, Connections: 32);
}
