using System.Collections.Immutable;

namespace Orchestrator.Access;

/// <summary>How a stack makes images of what happened in its repository.</summary>
public sealed record WebhookSettings
{
    /// <summary>Pushes to other branches are ignored. Null: every branch counts.</summary>
    public string? Branch { get; init; }

    /// <summary>Service → template with {commit}, {short}, {tag} and {branch}.</summary>
    public ImmutableSortedDictionary<string, string> Images { get; init; } = ImmutableSortedDictionary<string, string>.Empty;
}
