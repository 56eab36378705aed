using System.Collections.Immutable;
using GardenApp.Telemetry;
using GardenApp.Validation;
using Microsoft.AspNetCore.Http.HttpResults;

namespace GardenApp.Sensors;

/// <summary><c>/api/sensors</c>: devices send batches, people look at the latest values and at series.</summary>
internal static class SensorEndpoints
{
    private const int LongestSeries = 5000;

    internal static void MapSensors(this IEndpointRouteBuilder routes)
    {
        var sensors = routes.MapGroup("/api/sensors");
        sensors.MapPost("/readings", IngestAsync);
        sensors.MapGet("/{deviceId}/latest", LatestAsync);
        sensors.MapGet("/{deviceId}/series", SeriesAsync);
        routes.MapGet("/api/gardens/{gardenId:guid}/sensors/latest", LatestInGardenAsync);
    }

    private static async Task<Results<Ok<IngestAnswer>, ValidationProblem>> IngestAsync(
        SensorReading[] readings, SensorStore store, GardenMetrics metrics, TimeProvider time, CancellationToken cancellationToken)
    {
        if (readings.Length is 0 or > ReadingRules.LargestBatch)
            return TypedResults.ValidationProblem(new Dictionary<string, string[]> { ["$"] = [$"a batch has 1 to {ReadingRules.LargestBatch} readings"] });

        var now = time.GetUtcNow();
        var gardens = await store.KnownGardensAsync(readings.Select(reading => reading.GardenId).OfType<Guid>(), cancellationToken);
        var good = new List<SensorReading>(readings.Length);
        var rejected = ImmutableArray.CreateBuilder<RejectedReading>();
        for (var index = 0; index < readings.Length; index++)
        {
            var reading = readings[index] with { RecordedAt = readings[index].RecordedAt ?? now };
            var problem = ReadingRules.Problem(reading, now)
                ?? (reading.GardenId is { } garden && !gardens.Contains(garden) ? $"there is no garden {garden}" : null);
            if (problem is null) good.Add(reading);
            else rejected.Add(new RejectedReading(index, problem));
        }

        var stored = await store.AddAsync(good, cancellationToken);
        Count(metrics, readings, good, stored, rejected);
        return TypedResults.Ok(new IngestAnswer(stored.Length, good.Count - stored.Length, rejected.ToImmutable()));
    }

    private static void Count(GardenMetrics metrics, SensorReading[] all, List<SensorReading> good,
        ImmutableArray<(string DeviceId, string SensorType)> stored, ImmutableArray<RejectedReading>.Builder rejected)
    {
        var accepted = stored.CountBy(reading => reading).ToDictionary();
        foreach (var (key, count) in accepted) metrics.CountReadings(key.SensorType, key.DeviceId, "accepted", count);
        foreach (var (key, count) in good.CountBy(reading => (DeviceId: reading.DeviceId ?? "", SensorType: reading.SensorType ?? "")))
        {
            var duplicates = count - accepted.GetValueOrDefault(key);
            if (duplicates > 0) metrics.CountReadings(key.SensorType, key.DeviceId, "duplicate", duplicates);
        }
        // What a rejected reading calls itself may be anything at all, so it names no series.
        foreach (var (type, count) in rejected.CountBy(one => ReadingRules.IsKnownType(all[one.Index].SensorType) ? all[one.Index].SensorType ?? "" : "unknown"))
            metrics.CountReadings(type, "unknown", "rejected", count);
    }

    private static async Task<Results<Ok<ImmutableArray<SensorReading>>, NotFound>> LatestAsync(string deviceId, SensorStore store, CancellationToken cancellationToken)
    {
        if (!ReadingRules.IsDeviceId(deviceId)) return TypedResults.NotFound();
        var latest = await store.LatestOfDeviceAsync(deviceId, cancellationToken);
        return latest.IsEmpty ? TypedResults.NotFound() : TypedResults.Ok(latest);
    }

    private static async Task<Ok<ImmutableArray<SensorReading>>> LatestInGardenAsync(Guid gardenId, SensorStore store, CancellationToken cancellationToken) =>
        TypedResults.Ok(await store.LatestInGardenAsync(gardenId, cancellationToken));

    private static async Task<Results<Ok<ImmutableArray<SeriesPoint>>, ValidationProblem>> SeriesAsync(
        string deviceId, string type, SensorStore store, TimeProvider time, CancellationToken cancellationToken,
        DateTimeOffset? from = null, DateTimeOffset? to = null, int? bucketSeconds = null, int limit = 500)
    {
        var end = to ?? time.GetUtcNow().AddMinutes(5);
        var start = from ?? end.AddDays(-1);
        var problems = new ProblemList()
            .When(!ReadingRules.IsDeviceId(deviceId), "deviceId", "is not a device id")
            .When(!ReadingRules.IsKnownType(type), "type", ReadingRules.TypeProblem)
            .When(start >= end, "from", "must be before 'to'")
            .When(bucketSeconds is < 1 or > 31_536_000, "bucketSeconds", "must be from 1 to 31536000")
            .When(limit is < 1 or > LongestSeries, "limit", $"must be from 1 to {LongestSeries}")
            .Found;
        if (problems is not null) return TypedResults.ValidationProblem(problems);
        var bucket = bucketSeconds is { } seconds ? TimeSpan.FromSeconds(seconds) : (TimeSpan?)null;
        return TypedResults.Ok(await store.SeriesAsync(
            new SeriesRequest(deviceId, type, start.ToUniversalTime(), end.ToUniversalTime(), bucket, limit), cancellationToken));
    }
}
