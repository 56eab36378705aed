using System.Collections.Immutable;

namespace Orchestrator.Agent.Api.Contracts;

/// <summary>A Compose file with what it is read against.</summary>
public sealed record ApplyRequest
{
    /// <summary>The file, YAML, at most 1 MiB.</summary>
    public required string Content { get; init; }

    /// <summary>Absolute directory on the daemon's host that relative paths are resolved against.</summary>
    public string? Directory { get; init; }

    /// <summary>The name that errors carry.</summary>
    public string? FileName { get; init; }

    /// <summary>Overrides <c>name:</c> of the file and the directory's name.</summary>
    public string? Name { get; init; }

    /// <summary>Variables for interpolation; they win over <c>.env</c> in the directory.</summary>
    public ImmutableSortedDictionary<string, string>? Environment { get; init; }

    /// <summary>Compose profiles that are switched on.</summary>
    public ImmutableArray<string>? Profiles { get; init; }

    /// <summary>What people call this version; at most 200 characters.</summary>
    public string? Version { get; init; }

    public string? Commit { get; init; }

    /// <summary>Replace services even when nothing of them has changed, and deploy inside a freeze window.</summary>
    public bool Force { get; init; }
}
