using System.Collections.Immutable;
using Orchestrator.Stacks;

namespace Orchestrator.Docker;

/// <summary>A container to be created.</summary>
public sealed record ContainerRequest
{
    public required string Name { get; init; }

    /// <summary>Identifier or digest reference: never a tag that could move.</summary>
    public required string Image { get; init; }

    public required ContainerSettings Settings { get; init; }

    /// <summary>Ours and the user's, merged; ours win.</summary>
    public required ImmutableSortedDictionary<string, string> Labels { get; init; }

    /// <summary>Replaces the command; used by migrations. Null: as in the settings.</summary>
    public ImmutableArray<string>? CommandOverride { get; init; }

    /// <summary>Ports that the engine publishes itself (services without a route).</summary>
    public ImmutableArray<PublishedPort> Ports { get; init; } = [];

    public ImmutableArray<int> Expose { get; init; } = [];

    /// <summary>Networks in order, with names and aliases on each.</summary>
    public ImmutableArray<NetworkJoin> Networks { get; init; } = [];

    /// <summary>A running container whose network it has for its own, addresses and all, in place of <see cref="Networks"/>. It lives no longer than that one's.</summary>
    public ContainerId? NetworkOf { get; init; }

    /// <summary>Mounts with engine names: volumes by their real name, binds by absolute path; secrets and configurations are read-only binds among them.</summary>
    public ImmutableArray<MountSpec> Mounts { get; init; } = [];

    public string? Platform { get; init; }
}
