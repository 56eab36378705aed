using System.Collections.Immutable;

namespace Orchestrator.Stacks.Parsing;

/// <summary>The whole file as it was read, before its parts are held against each other.</summary>
internal sealed record ComposeDraft
{
    public required string Name { get; init; }

    public ImmutableArray<ServiceDraft> Services { get; init; } = [];

    /// <summary>Names of services that could not be made sense of.</summary>
    public ImmutableHashSet<string> Unreadable { get; init; } = [];

    public ImmutableArray<NetworkSpec> Networks { get; init; } = [];

    public ImmutableArray<VolumeSpec> Volumes { get; init; } = [];

    public ImmutableArray<FileObjectSpec> Secrets { get; init; } = [];

    public ImmutableArray<FileObjectSpec> Configs { get; init; } = [];
}
