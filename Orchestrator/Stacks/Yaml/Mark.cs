namespace Orchestrator.Stacks.Yaml;

/// <summary>A place in a file. Both count from 1.</summary>
internal readonly record struct Mark(int Line, int Column)
{
    public override string ToString() => $"{Line}:{Column}";
}
