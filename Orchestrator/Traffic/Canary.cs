namespace Orchestrator.Traffic;

/// <summary>A share of a route's requests that goes to a candidate, beside the live upstream.</summary>
/// <param name="Share">From 0 to 1. A client that was among a smaller share is among a larger one, too, when it is known by the cookie.</param>
/// <param name="Sticky">A client stays with what it got, by a cookie that the edge sets; else each request is drawn anew.</param>
public sealed record Canary(Upstream Upstream, int TargetPort, double Share, bool Sticky)
{
    /// <summary>The cookie's name. It holds a random number and says nothing about its client.</summary>
    public const string Cookie = "basmalin-canary";
}
