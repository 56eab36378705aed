using System.Collections.Immutable;

namespace Orchestrator.Agent.Api.Contracts;

/// <summary>What retention would do now.</summary>
/// <param name="Sets">Newest first.</param>
/// <param name="StreamObjects">Objects of continuous streams that no kept set needs any more.</param>
/// <param name="Blocked">Why nothing would be removed all the same; null: nothing stands in the way.</param>
public sealed record RetentionResponse(string Stack, ImmutableArray<RetainedSetResponse> Sets, int StreamObjects, string? Blocked);

/// <param name="Kept">False: it would be removed.</param>
/// <param name="Reasons">Why it stays, or why it goes.</param>
public sealed record RetainedSetResponse(string Set, bool Kept, ImmutableArray<string> Reasons);
