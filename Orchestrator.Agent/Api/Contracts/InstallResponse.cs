using System.Collections.Immutable;

namespace Orchestrator.Agent.Api.Contracts;

/// <summary>What <c>basmalin install</c> and <c>uninstall</c> have done.</summary>
public sealed record InstallResponse(ImmutableArray<InstallStepResponse> Steps);

/// <param name="What">A path, or a command.</param>
/// <param name="Outcome">In a word or two: written, unchanged, kept, done, …</param>
public sealed record InstallStepResponse(string What, string Outcome);

/// <summary>What came of <c>basmalin upgrade</c>.</summary>
/// <param name="Outcome"><c>upgraded</c>, <c>same</c> (the file is what is installed), <c>wentBack</c>, or <c>broken</c>: neither version is well.</param>
/// <param name="Reason">Why it went back, with the last lines of the daemon's log.</param>
public sealed record UpgradeResponse(string Outcome, string From, string To, string? Reason);
