using GardenApp.Sessions;
using Prometheus;

namespace GardenApp.Telemetry;

/// <summary><c>GET /api/metrics</c>.</summary>
internal static class MetricsEndpoint
{
    internal static void MapGardenMetrics(this WebApplication application)
    {
        var metrics = application.Services.GetRequiredService<GardenMetrics>();
        var sessions = application.Services.GetRequiredService<SessionStore>();
        // Sessions are everybody's, so they are counted where they are kept, and only when somebody looks. Without Redis nobody
        // knows, and the last count stays.
        metrics.Registry.AddBeforeCollectCallback(async cancellationToken =>
        {
            if (await sessions.CountAsync(cancellationToken) is { Answered: true, Value: var count }) metrics.Sessions.Set(count);
        });
        application.MapMetrics(options => options.Registry = metrics.Registry, "/api/metrics");
    }
}
