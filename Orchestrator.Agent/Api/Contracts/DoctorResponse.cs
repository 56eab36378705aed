using System.Collections.Immutable;

namespace Orchestrator.Agent.Api.Contracts;

/// <summary>What the daemon finds when it looks at itself and its surroundings.</summary>
public sealed record DoctorResponse(bool Ok, ImmutableArray<DoctorCheckResponse> Checks);

/// <param name="State">ok, warning or failed.</param>
/// <param name="Hint">What to do; null when it is well.</param>
public sealed record DoctorCheckResponse(string Name, string State, string Detail, string? Hint);
