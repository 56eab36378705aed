namespace Orchestrator.Stacks.Yaml;

/// <summary>What a Compose file may be at most. A real one stays far below each.</summary>
internal static class YamlLimits
{
    /// <summary>Bytes in UTF-8.</summary>
    public const int Bytes = 1024 * 1024;

    public const int Depth = 64;

    /// <summary>Values, with every alias counted as often as it is used.</summary>
    public const int Nodes = 100_000;
}
