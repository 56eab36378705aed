using System.Collections.Immutable;

namespace Orchestrator.Health;

/// <summary>How the gate ended.</summary>
public sealed record GateResult
{
    /// <summary>False: by the deadline, or by an exit.</summary>
    public required bool Healthy { get; init; }

    /// <summary>In one sentence, with what was seen last.</summary>
    public required string Reason { get; init; }

    /// <summary>The last five results, oldest first.</summary>
    public required ImmutableArray<ProbeResult> Last { get; init; }

    /// <summary>Set when the container ended or was restarted.</summary>
    public ContainerExit? Exit { get; init; }

    /// <summary>The likely cause; null when nothing points to one.</summary>
    public ProbeHint? Hint { get; init; }

    public required TimeSpan Took { get; init; }
}
