using System.Collections.Immutable;

namespace Orchestrator.Agent.Api.Contracts;

/// <summary>A stack as it is now.</summary>
public sealed record StackResponse
{
    public required string Stack { get; init; }

    /// <summary>The release that was committed last; 0: none yet.</summary>
    public required int Release { get; init; }

    public string? Version { get; init; }

    public bool Maintenance { get; init; }

    public ImmutableArray<ServiceResponse> Services { get; init; } = [];

    /// <summary>The generations before, still running for an instant way back; null: none.</summary>
    public WarmResponse? Warm { get; init; }

    /// <summary>The deployment that is running; null: none.</summary>
    public DeploymentResponse? Running { get; init; }

    /// <summary>The deployment that ended last; null: none.</summary>
    public DeploymentResponse? Last { get; init; }

    /// <summary>What is wrong with the stack's record; null: nothing.</summary>
    public string? Problem { get; init; }
}

/// <param name="Role">routed, stateful or worker.</param>
/// <param name="Colour">blue or green: the live one; null: not coloured.</param>
/// <param name="Health">healthy, unhealthy, starting, running or stopped.</param>
/// <param name="Routes">Where requests for it come from.</param>
public sealed record ServiceResponse(
    string Service,
    string Role,
    string? Colour,
    int Release,
    string Image,
    int ReplicasWanted,
    int ReplicasRunning,
    string Health,
    ImmutableArray<ContainerResponse> Containers,
    ImmutableArray<string> Routes)
{
    /// <summary>Its requests are held at the edge until then; null: they pass.</summary>
    public DateTimeOffset? PausedUntil { get; init; }
}

/// <param name="Live">It is of the generation that has the traffic.</param>
public sealed record ContainerResponse(
    string Id,
    string Name,
    string? Colour,
    int Release,
    string State,
    string Health,
    string? Address,
    DateTimeOffset? StartedAt,
    bool Live);

/// <param name="Until">When it is stopped.</param>
public sealed record WarmResponse(int Release, ImmutableArray<string> Services, DateTimeOffset Until);
