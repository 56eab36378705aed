using GardenApp.Hosting;
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
        var inFlight = application.Services.GetRequiredService<RequestsInFlight>();
        metrics.Registry.AddBeforeCollectCallback(() => metrics.RequestsInProgress.Set(inFlight.Count));
        // Sessions are everybody's, so they are counted where they are kept, and only when somebody looks. Without Redis nobody
        // knows, and the last count stays.
        metrics.Registry.AddBeforeCollectCallback(async cancellationToken =>
        {
            if (await sessions.CountAsync(cancellationToken) is { Answered: true, Value: var count }) metrics.Sessions.Set(count);
        });
        application.MapMetrics(options => options.Registry = metrics.Registry, "/api/metrics");
    }
}
