using System.Collections.Immutable;

namespace Orchestrator.Agent.Api.Contracts;

/// <summary>An immutable, numbered manifest of a stack.</summary>
/// <param name="Committed">It was in charge at least once: it can be rolled back to.</param>
/// <param name="Current">It is in charge now.</param>
/// <param name="Images">Service → image.</param>
public sealed record ReleaseResponse(
    int Number,
    string? Version,
    string? Commit,
    bool Committed,
    bool Current,
    long Deployment,
    DateTimeOffset CreatedAt,
    ImmutableSortedDictionary<string, ReleasedImageResponse> Images);

/// <param name="Reference">As it was asked for.</param>
/// <param name="Digest">What it meant then; null: no registry has it.</param>
public sealed record ReleasedImageResponse(string Reference, string? Digest);
