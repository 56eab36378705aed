namespace Orchestrator.Traffic.Previews;

/// <summary>A colour of a service that runs beside the live one: reached by those who may choose it, and by nobody else.</summary>
/// <param name="TargetPort">The port inside its containers.</param>
public sealed record SideColour(string Service, Upstream Upstream, int TargetPort, SideRole Role);

/// <summary>What a colour beside the live one is there for.</summary>
public enum SideRole
{
    /// <summary>Has passed its gate, and is to have the traffic.</summary>
    Candidate,

    /// <summary>Had the traffic before, and runs on for the way back.</summary>
    Warm,
}
