namespace Orchestrator.Traffic.Requests;

/// <summary>How long each phase of a request may take. Null: the edge's own patience.</summary>
/// <param name="Connect">Until the replica accepts the connection; then the next one is tried.</param>
/// <param name="Headers">From the last byte of the request to the first of the answer; then 504.</param>
/// <param name="Idle">Without a byte in either direction, streams and WebSockets included.</param>
public sealed record PhaseTimeouts(TimeSpan? Connect, TimeSpan? Headers, TimeSpan? Idle);
