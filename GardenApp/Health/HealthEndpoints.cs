using GardenApp.Hosting;

namespace GardenApp.Health;

/// <summary><c>/api/health</c> for whoever routes traffic, <c>/up</c> for whoever only asks whether the process lives, <c>/version</c>.</summary>
internal static class HealthEndpoints
{
    internal static void MapHealth(this IEndpointRouteBuilder routes)
    {
        routes.MapGet("/up", () => TypedResults.Text("up\n"));
        routes.MapGet("/version", (GardenSettings settings, HealthChecks health) =>
            TypedResults.Ok(new VersionAnswer(settings.Version, Environment.MachineName, health.Uptime)));
        routes.MapGet("/api/health", async (HealthChecks health, CancellationToken cancellationToken) =>
        {
            var report = await health.RunAsync(cancellationToken);
            return TypedResults.Json(report, GardenJson.Wire.HealthReport,
                statusCode: report.Status == HealthCheckResult.UnhealthyStatus ? StatusCodes.Status503ServiceUnavailable : StatusCodes.Status200OK);
        });
    }
}
