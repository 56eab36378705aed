using System.Collections.Immutable;
using Orchestrator.Docker;
using Orchestrator.Stacks;

namespace Orchestrator.Deployments;

/// <summary>
/// An immutable, numbered manifest of a stack: the services as they were rendered, each image pinned, the version of each secret.
/// Rolling back replays it exactly.
/// </summary>
public sealed record Release
{
    /// <summary>From 1 within the stack. A deployment that fails after its release was written down uses its number up.</summary>
    public required int Number { get; init; }

    public required Stack Stack { get; init; }

    /// <summary>Service → image.</summary>
    public required ImmutableSortedDictionary<string, ImageIdentity> Images { get; init; }

    /// <summary>Name of a stored secret → its version.</summary>
    public ImmutableSortedDictionary<string, int> SecretVersions { get; init; } = ImmutableSortedDictionary<string, int>.Empty;

    /// <summary><c>secrets.KEY</c> or <c>configs.KEY</c> → what its content is told by, see <see cref="GrantedFiles.ContentsAsync"/>.</summary>
    public ImmutableSortedDictionary<string, string> Contents { get; init; } = ImmutableSortedDictionary<string, string>.Empty;

    public string? Version { get; init; }

    public string? Commit { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    public required DeploymentId Deployment { get; init; }

    /// <summary>
    /// Made from the labels of containers after the journal was lost: enough to serve what runs, not enough to make it anew. The stack's file has to be applied
    /// before anything else is deployed.
    /// </summary>
    public bool Partial { get; init; }

    /// <summary>A deployment of it was committed at least once: it can be rolled back to.</summary>
    public bool Committed { get; init; }
}
