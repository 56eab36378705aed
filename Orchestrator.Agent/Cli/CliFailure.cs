using Orchestrator.Agent.Api.Contracts;

namespace Orchestrator.Agent.Cli;

/// <summary>Ends a verb with a message for people: what, why, and what to do next.</summary>
internal sealed class CliFailure(int exitCode, string what, string? why, string? hint) : Exception(what)
{
    public int ExitCode { get; } = exitCode;

    public string? Why { get; } = why;

    public string? Hint { get; } = hint;

    /// <summary>What the daemon answered; null when it was not asked.</summary>
    public ProblemResponse? Problem { get; init; }
}
