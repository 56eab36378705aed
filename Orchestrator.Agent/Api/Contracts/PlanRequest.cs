using System.Collections.Immutable;

namespace Orchestrator.Agent.Api.Contracts;

/// <summary>
/// What is to be planned without being done: the file in <see cref="Content"/>, else a rollback, else <see cref="Images"/> laid over the
/// current release.
/// </summary>
public sealed record PlanRequest
{
    /// <summary>A Compose file; the fields down to <see cref="Profiles"/> are as when it is applied.</summary>
    public string? Content { get; init; }

    public string? Directory { get; init; }

    public string? FileName { get; init; }

    public ImmutableSortedDictionary<string, string>? Environment { get; init; }

    public ImmutableArray<string>? Profiles { get; init; }

    /// <summary>Plan a rollback.</summary>
    public bool Rollback { get; init; }

    /// <summary>For a rollback: the release; null: the one before the current.</summary>
    public int? To { get; init; }

    /// <summary>Service → image reference.</summary>
    public ImmutableSortedDictionary<string, string>? Images { get; init; }

    public bool Force { get; init; }
}
