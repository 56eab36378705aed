namespace GardenApp.Health;

/// <summary>Everything outside the process that health speaks of.</summary>
internal sealed record Dependencies(DatabaseCheck Database, RedisCheck Redis, ExternalApisCheck ExternalApis, MachineChecks Machine);
