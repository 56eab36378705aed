using System.Collections.Immutable;

namespace Orchestrator.Agent.Api.Contracts;

/// <summary>What a deployment will do, before it does it.</summary>
public sealed record PlanResponse
{
    public required string Stack { get; init; }

    public required bool NothingToDo { get; init; }

    /// <summary>In dependency order; removals last.</summary>
    public ImmutableArray<PlannedServiceResponse> Services { get; init; } = [];

    public ImmutableArray<string> NewNetworks { get; init; } = [];

    public ImmutableArray<string> NewVolumes { get; init; } = [];

    /// <summary>Routes, gates and the like that change without a container being touched.</summary>
    public ImmutableArray<ChangeResponse> Settings { get; init; } = [];

    /// <summary>What one should know before saying yes.</summary>
    public ImmutableArray<string> Notes { get; init; } = [];

    /// <summary>The previous colour is still running: the way back is a swap.</summary>
    public bool WarmSwap { get; init; }

    /// <summary>The whole plan as a readable diff.</summary>
    public required string Text { get; init; }
}

/// <param name="Action">keep, create, replace (blue/green), recreate (in place) or remove.</param>
/// <param name="From">Colour that is live now; null: none.</param>
/// <param name="To">Colour of the candidate; null for a service that is not coloured.</param>
public sealed record PlannedServiceResponse(
    string Service,
    string Action,
    ImmutableArray<string> Reasons,
    ImmutableArray<ChangeResponse> Changes,
    string? From,
    string? To);

/// <param name="Path">Dotted, e.g. <c>container.environment.DATABASE_URL</c>; the values of environment variables are not shown.</param>
/// <param name="Old">Null: was not there.</param>
/// <param name="New">Null: is no longer there.</param>
public sealed record ChangeResponse(string Path, string? Old, string? New);
