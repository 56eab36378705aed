namespace Orchestrator.Docker;

/// <summary>The engine refused, or could not be reached.</summary>
public sealed class EngineException(EngineFault fault, string message, Exception? inner) : Exception(message, inner)
{
    public EngineFault Fault { get; } = fault;
}
