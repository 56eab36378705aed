using System.Collections.Immutable;
using System.Text.Json.Serialization;

namespace Orchestrator.Agent.Api.Contracts;

/// <summary>Problem details (RFC 9457), as <c>application/problem+json</c>.</summary>
public sealed record ProblemResponse
{
    public string Type { get; init; } = "about:blank";

    public required string Title { get; init; }

    public required int Status { get; init; }

    /// <summary>What was seen.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Detail { get; init; }

    /// <summary>To branch on; the names are stable.</summary>
    public required string Reason { get; init; }

    /// <summary>What to do next.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Hint { get; init; }

    /// <summary>The deployment that it concerns.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public long? Deployment { get; init; }

    /// <summary>Every problem of a Compose file at once.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public ImmutableArray<FindingResponse>? Errors { get; init; }
}
