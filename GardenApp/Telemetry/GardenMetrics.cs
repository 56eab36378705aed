using Prometheus;

namespace GardenApp.Telemetry;

/// <summary>
/// What <c>/api/metrics</c> shows. Its own registry: the library's default one brings event counters whose names no linter accepts,
/// and is shared by every application in a test process.
/// </summary>
internal sealed class GardenMetrics
{
    private const int MostDevices = 500;

    private readonly HashSet<string> _devices = new(StringComparer.Ordinal);
    private readonly Lock _gate = new();

    public GardenMetrics()
    {
        var factory = Metrics.WithCustomRegistry(Registry);
        Requests = factory.CreateHistogram("http_request_duration_seconds", "Time from the first byte of a request to the end of its answer.",
            ["method", "route", "status_code"], new HistogramConfiguration { Buckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 5] });
        SensorReadings = factory.CreateCounter("iot_sensor_readings_total", "Sensor readings that arrived, by what became of them.",
            "sensor_type", "device_id", "status");
        Insights = factory.CreateCounter("ai_insights_generated_total", "Insights that were asked for, by provider and outcome.",
            "insight_type", "model_provider", "success");
        Sessions = factory.CreateGauge("user_sessions_active", "Sessions that have not expired, over all replicas.");
        DatabaseConnections = factory.CreateGauge("database_connections_active", "Database connections in use by this process.");
        RequestsInProgress = factory.CreateGauge("http_requests_in_progress", "Requests being served now, probes aside.");
        CacheReads = factory.CreateCounter("cache_reads_total", "Reads that may be cached, by result: hit, miss or bypass.", "result");
    }

    internal CollectorRegistry Registry { get; } = Metrics.NewCustomRegistry();

    internal Histogram Requests { get; }

    internal Counter Insights { get; }

    internal Gauge Sessions { get; }

    internal Gauge DatabaseConnections { get; }

    internal Gauge RequestsInProgress { get; }

    internal Counter CacheReads { get; }

    private Counter SensorReadings { get; }

    /// <summary>Counts readings. Anybody may invent device names, so only the first few hundred get a series of their own.</summary>
    internal void CountReadings(string sensorType, string deviceId, string status, int count)
    {
        lock (_gate)
        {
            if (!_devices.Contains(deviceId) && (_devices.Count >= MostDevices || !_devices.Add(deviceId))) deviceId = "other";
        }
        SensorReadings.WithLabels(sensorType, deviceId, status).Inc(count);
    }
}
