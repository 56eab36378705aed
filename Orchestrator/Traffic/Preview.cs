using Orchestrator.Traffic.Requests;

namespace Orchestrator.Traffic;

/// <summary>A way to a candidate that nobody else finds: requests with the header <c>X-BasMalin-Preview: TOKEN</c>, on any listener.</summary>
/// <param name="Token">Unguessable. It is stripped before the request is forwarded; an unknown one is answered with 404, never by the live service.</param>
public sealed record Preview(string Token, int TargetPort, Upstream Upstream)
{
    /// <summary>The name of the request header.</summary>
    public const string Header = "X-BasMalin-Preview";

    /// <summary>The route's; of it, a preview keeps how the application is spoken to.</summary>
    public RoutePolicy? Policy { get; init; }

    public override string ToString() => $"preview of {Upstream.Identity}";
}
