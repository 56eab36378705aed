using Orchestrator.Agent.Api.Contracts;
using Orchestrator.Stacks;

namespace Orchestrator.Agent.Api;

/// <summary>Findings in the words of the contract.</summary>
internal static class FindingResponses
{
    public static FindingResponse From(Finding finding) => new(
        finding.Severity == FindingSeverity.Error ? "error" : "note",
        finding.File,
        finding.Line,
        finding.Column,
        finding.Key,
        finding.Message,
        finding.Hint);
}
