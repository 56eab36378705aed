namespace Orchestrator.Agent.Cli;

/// <summary>What the process says when it ends.</summary>
internal static class ExitCodes
{
    public const int Done = 0;
    public const int Failed = 1;

    /// <summary>Wrong usage, or a configuration that cannot be used.</summary>
    public const int Usage = 2;
}
