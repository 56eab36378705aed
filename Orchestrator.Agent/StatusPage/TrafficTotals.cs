namespace Orchestrator.Agent.StatusPage;

/// <summary>What the edge has seen of a stack since the daemon began to count.</summary>
/// <param name="Failed">Answered with 5xx, or cut off by the application.</param>
internal sealed record TrafficTotals(long Total, long Failed, DateTimeOffset Since);
