using System.Collections.Immutable;

namespace Orchestrator.Docker;

/// <summary>An image, pinned.</summary>
public sealed record ImageIdentity
{
    /// <summary>As it was asked for.</summary>
    public required string Reference { get; init; }

    /// <summary>The engine's identifier, sha256:….</summary>
    public required string Id { get; init; }

    /// <summary><c>repository@sha256:…</c>; null for an image that no registry has.</summary>
    public string? Digest { get; init; }

    public ImmutableArray<int> ExposedPorts { get; init; } = [];

    public bool HasHealthcheck { get; init; }

    /// <summary>Bytes.</summary>
    public long Size { get; init; }

    /// <summary>The stack that it was built for, by the label that such a build gets; null: it was not built here by this program.</summary>
    public string? BuiltFor { get; init; }

    /// <summary>What a container is created from: the digest where there is one, else the identifier.</summary>
    public string Pinned => Digest ?? Id;
}
