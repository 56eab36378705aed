namespace Orchestrator.Health;

/// <summary>What one probe saw.</summary>
/// <param name="Detail">Exactly what was seen, for people: what was asked of whom, and what came back.</param>
public sealed record ProbeResult(bool Healthy, string Detail)
{
    /// <summary>The likely cause, where what was seen points to one.</summary>
    public ProbeHint? Hint { get; init; }
}
