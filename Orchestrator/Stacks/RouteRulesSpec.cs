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

/// <summary>Files of a volume that the proxy serves itself.</summary>
/// <param name="Path">As clients see it, on segment boundaries.</param>
/// <param name="Volume">The volume's key in the Compose file.</param>
/// <param name="Directory">Below the volume's root; empty: all of it.</param>
/// <param name="Cache">How long clients may keep a file; zero: they ask each time.</param>
/// <param name="Fallback">What is not there is asked of the application; false: 404.</param>
public sealed record StaticFolderSpec(string Path, string Volume, string Directory, TimeSpan Cache, bool Fallback);

/// <summary>Who may see a colour that does not have the traffic, and where.</summary>
/// <param name="Hosts">Exact names that lead to the candidate.</param>
/// <param name="KeySha256">SHA-256 of the key, in lower-case hexadecimal; null: there is none.</param>
/// <param name="Allow">Networks whose clients need no key.</param>
public sealed record RoutePreviewSpec(ImmutableArray<string> Hosts, string? KeySha256, ImmutableArray<string> Allow);

/// <summary>Headers of every answer.</summary>
public sealed record RouteHeadersSpec
{
    public bool Secure { get; init; }

    public ImmutableSortedDictionary<string, string> Set { get; init; } = ImmutableSortedDictionary<string, string>.Empty;

    public ImmutableArray<string> Remove { get; init; } = [];
}
