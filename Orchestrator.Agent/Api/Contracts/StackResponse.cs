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

    /// <summary>In what the engine differs from the release, as it was last seen; empty: in nothing, or a deployment is at it.</summary>
    public ImmutableArray<DriftResponse> Drift { get; init; } = [];

    /// <summary>What somebody should know of its backups: who can read them, whether one is proved, what is overdue. Empty: nothing, or none is asked for.</summary>
    public ImmutableArray<WarningResponse> Warnings { get; init; } = [];
}

/// <param name="What">What was seen.</param>
/// <param name="Hint">What to do about it.</param>
public sealed record WarningResponse(string What, string Hint);

/// <param name="Kind">missing_replica, stopped, restarting, paused, unhealthy, surplus_replica, extra_container, other_image, other_settings, missing_network, off_network, missing_volume or gave_up.</param>
/// <param name="Service">The service; null: it concerns the stack.</param>
/// <param name="Subject">The container, network or volume that it is about.</param>
/// <param name="Detail">What was seen.</param>
/// <param name="Outlook">What becomes of it: what is being done, what is waited for, or what to do.</param>
public sealed record DriftResponse(string Kind, string? Service, string Subject, string Detail, string Outlook);

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
