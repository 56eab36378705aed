namespace GardenApp.Health;

/// <summary>The body of <c>GET /version</c>.</summary>
/// <param name="Version">What this build calls itself.</param>
/// <param name="Instance">The host name, which in a container is its id or its given name.</param>
/// <param name="Uptime">Seconds since the process started.</param>
public sealed record VersionAnswer(string Version, string Instance, double Uptime);
