namespace GardenApp.Health;

/// <summary>What one check saw.</summary>
/// <param name="Name">One of <c>database redis external_apis disk_space memory</c>, and <c>fault</c> when one was asked for.</param>
/// <param name="Status"><c>healthy</c>, <c>degraded</c> or <c>unhealthy</c>.</param>
/// <param name="Details">A sentence for people.</param>
public sealed record HealthCheckResult(string Name, string Status, string Details)
{
    internal const string HealthyStatus = "healthy";
    internal const string DegradedStatus = "degraded";
    internal const string UnhealthyStatus = "unhealthy";

    internal static HealthCheckResult Healthy(string name, string details) => new(name, HealthyStatus, details);

    internal static HealthCheckResult Degraded(string name, string details) => new(name, DegradedStatus, details);

    internal static HealthCheckResult Unhealthy(string name, string details) => new(name, UnhealthyStatus, details);
}
