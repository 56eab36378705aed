namespace Orchestrator.Docker;

/// <summary>The engine's full identifier of a container.</summary>
public readonly record struct ContainerId(string Value)
{
    /// <summary>The twelve characters that people see.</summary>
    public string Short => Value.Length > 12 ? Value[..12] : Value;

    public override string ToString() => Short;
}
