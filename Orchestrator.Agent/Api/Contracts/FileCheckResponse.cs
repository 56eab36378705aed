using System.Collections.Immutable;

namespace Orchestrator.Agent.Api.Contracts;

/// <summary>What <c>config check</c> found in a Compose file.</summary>
/// <param name="Stack">Null when there is an error.</param>
public sealed record FileCheckResponse(bool Ok, string? Stack, ImmutableArray<FindingResponse> Findings);
