namespace Orchestrator.Agent.StatusPage;

/// <summary>A stack's traffic over one interval.</summary>
/// <param name="At">End of the interval, milliseconds since 1970 (UTC).</param>
/// <param name="Requests">Per second.</param>
/// <param name="Failed">Per second.</param>
/// <param name="P95">Milliseconds; null: no request ended.</param>
internal readonly record struct PulsePoint(long At, double Requests, double Failed, double? P95);
