namespace GardenApp.Hosting;

/// <summary>Paths that machines ask all the time. Faults spare them and they are not counted as requests in flight.</summary>
internal static class ProbePaths
{
    internal static bool Contains(PathString path) =>
        path.Value is "/up" or "/api/health" or "/version" or "/api/metrics";
}
