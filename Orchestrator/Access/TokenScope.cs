namespace Orchestrator.Access;

/// <summary>What a token may do; each includes the one before.</summary>
public enum TokenScope
{
    /// <summary>Look.</summary>
    Read,

    /// <summary>Deploy, roll back, cancel.</summary>
    Deploy,

    /// <summary>Everything, tokens and secrets included.</summary>
    Admin,
}
