using System.Collections.Immutable;

namespace Orchestrator.Agent.Api.Contracts;

/// <summary>How a stack takes webhooks.</summary>
/// <param name="Path">Below the address of the edge or of the admin listener.</param>
/// <param name="Rotating">The secret before the present one is still good.</param>
/// <param name="Branch">Pushes to other branches are ignored; null: every branch counts.</param>
/// <param name="Images">Service → template with {commit}, {short}, {tag} and {branch}.</param>
/// <param name="Secret">Only in the answer that made it.</param>
public sealed record WebhookResponse(
    string Stack,
    string Path,
    bool HasSecret,
    bool Rotating,
    string? Branch,
    ImmutableSortedDictionary<string, string> Images,
    string? Secret);

/// <summary>How a stack is to take webhooks. What is left out stays as it is.</summary>
public sealed record WebhookRequest
{
    /// <summary>Empty: every branch counts.</summary>
    public string? Branch { get; init; }

    /// <summary>Service → template with {commit}, {short}, {tag} and {branch}; replaces all there were.</summary>
    public ImmutableSortedDictionary<string, string>? Images { get; init; }

    /// <summary>Makes a new secret. The one before stays good until <see cref="Retire"/>, so that the sender can be changed over.</summary>
    public bool Rotate { get; init; }

    /// <summary>Ends the validity of the secret before the present one.</summary>
    public bool Retire { get; init; }
}
