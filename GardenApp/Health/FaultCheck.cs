using GardenApp.Faults;

namespace GardenApp.Health;

/// <summary>Health's share of the faults on purpose.</summary>
internal static class FaultCheck
{
    internal static HealthCheckResult? Run(FaultSettings settings, FaultClock clock) => settings switch
    {
        { NeverHealthy: true } => HealthCheckResult.Unhealthy("fault", "GARDEN_FAULT_NEVER_HEALTHY is set"),
        _ when clock.HasFailed => HealthCheckResult.Unhealthy("fault", "GARDEN_FAULT_FAIL_AFTER_SECONDS has passed"),
        _ => null,
    };
}
