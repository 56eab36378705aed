namespace Orchestrator.Traffic.Requests;

/// <summary>How many requests a route takes.</summary>
/// <param name="Requests">So many in <paramref name="Per"/>, in the long run.</param>
/// <param name="Burst">So many at once, by somebody who has been quiet; at least 1.</param>
/// <param name="ByClient">Each client address (IPv6: each /64) by itself; false: all requests of the route together.</param>
public sealed record RateRule(int Requests, TimeSpan Per, int Burst, bool ByClient);
