using System.Collections.Immutable;
using Orchestrator.Planning;
using Orchestrator.Stacks;

namespace Orchestrator.Deployments;

/// <summary>A stack as it stands.</summary>
/// <param name="Running">The deployment that runs or waits; null: none.</param>
/// <param name="Problem">What is wrong with its record; null: nothing.</param>
public sealed record StackStatus(
    string Stack, int CurrentRelease, string? Version, ImmutableArray<ServiceStatus> Services, WarmState? Warm, bool Maintenance, Deployment? Running, Deployment? Last, string? Problem)
{
    /// <summary>In what the engine differs from the release, as it was last seen. Empty: in nothing.</summary>
    public ImmutableArray<DriftNote> Drift { get; init; } = [];
}

/// <param name="Health">healthy, unhealthy, starting, running, completed or stopped: the worst of its containers.</param>
/// <param name="Routes">Where it is reached, e.g. <c>garden.example/</c> or <c>:3000</c>.</param>
public sealed record ServiceStatus(
    string Service, ServiceRole Role, Colour? Colour, int Release, string Image, int ReplicasWanted, int ReplicasRunning, string Health,
    ImmutableArray<ContainerStatus> Containers, ImmutableArray<string> Routes)
{
    /// <summary>Its requests are held at the edge until then; null: they pass.</summary>
    public DateTimeOffset? PausedUntil { get; init; }
}

/// <param name="Live">It belongs to the generation that has the traffic.</param>
public sealed record ContainerStatus(string Id, string Name, Colour? Colour, int Release, string State, string Health, string? Address, DateTimeOffset? StartedAt, bool Live);
