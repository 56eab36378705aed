using System.Collections.Immutable;

namespace GardenApp.Health;

/// <summary>The body of <c>GET /api/health</c>.</summary>
/// <param name="Status">The worst of the checks: <c>healthy</c>, <c>degraded</c> (still 200: it works, slower or with less) or <c>unhealthy</c> (503).</param>
/// <param name="Timestamp">When the checks ran, UTC.</param>
/// <param name="Checks">One entry for each dependency.</param>
/// <param name="Uptime">Seconds since the process started.</param>
/// <param name="Version">What this build calls itself.</param>
public sealed record HealthReport(string Status, DateTimeOffset Timestamp, ImmutableArray<HealthCheckResult> Checks, double Uptime, string Version);
