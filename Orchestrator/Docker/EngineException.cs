namespace Orchestrator.Docker;

/// <summary>The engine refused, or could not be reached. The message says what was asked and what the engine answered, and holds no secret.</summary>
public sealed class EngineException(EngineFault fault, string message, Exception? inner) : Exception(message, inner)
{
    public EngineFault Fault { get; } = fault;

    /// <summary>The engine or the registry said that it failed, not that the request was wrong: asking again may help.</summary>
    public bool IsTransient { get; init; }
}
