using System.Collections.Immutable;

namespace Orchestrator.Agent.Api.Contracts;

/// <summary>New images for a stack. Nothing named: the current release again, its tags resolved anew.</summary>
public sealed record DeployRequest
{
    /// <summary>Service → image reference.</summary>
    public ImmutableSortedDictionary<string, string>? Images { get; init; }

    /// <summary>What people call this version; at most 200 characters.</summary>
    public string? Version { get; init; }

    /// <summary>At most 200 characters.</summary>
    public string? Commit { get; init; }

    /// <summary>Replace services even when nothing of them has changed, and deploy inside a freeze window.</summary>
    public bool Force { get; init; }
}
