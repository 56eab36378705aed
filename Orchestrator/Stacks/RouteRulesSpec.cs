using System.Collections.Immutable;

namespace Orchestrator.Stacks;

/// <summary>Null: the edge's own patience.</summary>
/// <param name="Connect">From 10 ms to 1 min.</param>
/// <param name="Headers">From the last byte of the request to the first of the answer; from 10 ms to 24 h.</param>
/// <param name="Idle">Without a byte in either direction; from 1 s to 24 h.</param>
public sealed record RouteTimeoutsSpec(TimeSpan? Connect, TimeSpan? Headers, TimeSpan? Idle);

/// <param name="Requests">In <paramref name="Per"/>, from 1 to 1,000,000.</param>
/// <param name="Burst">At once, from 1 to 1,000,000.</param>
/// <param name="ByClient">False: all clients together.</param>
public sealed record RouteRateSpec(int Requests, TimeSpan Per, int Burst, bool ByClient);

/// <summary>Headers of every answer.</summary>
public sealed record RouteHeadersSpec
{
    public bool Secure { get; init; }

    public ImmutableSortedDictionary<string, string> Set { get; init; } = ImmutableSortedDictionary<string, string>.Empty;

    public ImmutableArray<string> Remove { get; init; } = [];
}
