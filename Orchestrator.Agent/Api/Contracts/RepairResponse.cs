using System.Collections.Immutable;

namespace Orchestrator.Agent.Api.Contracts;

/// <param name="DryRun">True: says what would be done, and changes nothing.</param>
public sealed record RepairRequest(bool DryRun = true);

/// <summary>What the repair of the journal came to, or would.</summary>
/// <param name="Needed">Something was wrong.</param>
/// <param name="Done">It is repaired.</param>
/// <param name="Steps">What was done, or would be.</param>
/// <param name="Lost">What could not be brought back.</param>
public sealed record RepairResponse(bool Needed, bool Done, ImmutableArray<string> Steps, ImmutableArray<string> Lost);
