namespace Orchestrator.Docker;

/// <param name="Output">Both streams, or only standard error when the output went elsewhere; at most 64 KiB.</param>
public sealed record ExecResult(long ExitCode, string Output);
