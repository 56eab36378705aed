namespace Orchestrator.Docker;

/// <param name="At">When the container wrote it.</param>
public sealed record LogLine(DateTimeOffset At, bool IsError, string Text);
