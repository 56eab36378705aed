using Orchestrator.Traffic.Requests;
using Orchestrator.Traffic.Tls;

namespace Orchestrator.Traffic;

/// <summary>What all listeners of an edge have in common, and whether this one has TLS.</summary>
/// <param name="Tls">Null: plain HTTP.</param>
internal sealed record EdgeListenerOptions(EdgeLimits Limits, EdgeTls? Tls, EdgeFarewell Farewell);
