namespace Orchestrator.Traffic;

/// <summary>A share of a route's requests that goes to a candidate, beside the live upstream.</summary>
/// <param name="Share">From 0 to 1. A client that was among a smaller share is among a larger one, too, when it stays with what it got.</param>
/// <param name="Draw">What a client stays with what it got by.</param>
public sealed record Canary(Upstream Upstream, int TargetPort, double Share, CanaryDraw Draw)
{
    /// <summary>The cookie's name. It holds a random number and says nothing about its client.</summary>
    public const string Cookie = "basmalin-canary";
}

/// <summary>By what it is drawn who goes to a candidate.</summary>
public enum CanaryDraw
{
    /// <summary>Each request anew.</summary>
    Request,

    /// <summary>A cookie that the edge sets.</summary>
    Cookie,

    /// <summary>A hash of the client's address: nothing is left with it. Those behind one address go together.</summary>
    Address,
}
