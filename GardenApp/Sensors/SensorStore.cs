using System.Collections.Immutable;
using Dapper;
using GardenApp.Database;

namespace GardenApp.Sensors;

/// <summary>Readings in PostgreSQL.</summary>
internal sealed class SensorStore
{
    private const string Columns = """
        device_id AS "DeviceId", sensor_type AS "SensorType", value AS "Value", unit AS "Unit", recorded_at AS "RecordedAt", garden_id AS "GardenId"
        """;

    private readonly GardenDatabase _database;

    public SensorStore(GardenDatabase database) => _database = database;

    /// <summary>Stores a batch in one statement and returns, for each reading that is new, its device and type.</summary>
    internal async Task<ImmutableArray<(string DeviceId, string SensorType)>> AddAsync(IReadOnlyCollection<SensorReading> readings, CancellationToken cancellationToken)
    {
        await using var connection = await _database.OpenAsync(cancellationToken);
        var stored = await connection.QueryAsync<(string, string)>(new CommandDefinition(
            """
            INSERT INTO sensor_readings (device_id, sensor_type, recorded_at, value, unit, garden_id)
            SELECT * FROM unnest(@devices, @types, @times, @values, @units, @gardens)
            ON CONFLICT DO NOTHING
            RETURNING device_id, sensor_type
            """,
            new
            {
                devices = readings.Select(reading => reading.DeviceId).ToArray(),
                types = readings.Select(reading => reading.SensorType).ToArray(),
                times = readings.Select(reading => reading.RecordedAt?.UtcDateTime).ToArray(),
                values = readings.Select(reading => reading.Value).ToArray(),
                units = readings.Select(reading => reading.Unit).ToArray(),
                gardens = readings.Select(reading => reading.GardenId).ToArray(),
            },
            cancellationToken: cancellationToken));
        return [.. stored];
    }

    internal async Task<ImmutableHashSet<Guid>> KnownGardensAsync(IEnumerable<Guid> ids, CancellationToken cancellationToken)
    {
        var asked = ids.Distinct().ToArray();
        if (asked.Length == 0) return [];
        await using var connection = await _database.OpenAsync(cancellationToken);
        return [.. await connection.QueryAsync<Guid>(new CommandDefinition("SELECT id FROM gardens WHERE id = ANY(@asked)", new { asked }, cancellationToken: cancellationToken))];
    }

    /// <summary>The newest reading of each type of one device.</summary>
    internal async Task<ImmutableArray<SensorReading>> LatestOfDeviceAsync(string deviceId, CancellationToken cancellationToken)
    {
        await using var connection = await _database.OpenAsync(cancellationToken);
        return [.. await connection.QueryAsync<SensorReading>(new CommandDefinition(
            $"SELECT DISTINCT ON (sensor_type) {Columns} FROM sensor_readings WHERE device_id = @deviceId ORDER BY sensor_type, recorded_at DESC",
            new { deviceId }, cancellationToken: cancellationToken))];
    }

    /// <summary>The newest reading of each device and type in one garden.</summary>
    internal async Task<ImmutableArray<SensorReading>> LatestInGardenAsync(Guid gardenId, CancellationToken cancellationToken)
    {
        await using var connection = await _database.OpenAsync(cancellationToken);
        return [.. await connection.QueryAsync<SensorReading>(new CommandDefinition(
            $"SELECT DISTINCT ON (sensor_type, device_id) {Columns} FROM sensor_readings WHERE garden_id = @gardenId ORDER BY sensor_type, device_id, recorded_at DESC",
            new { gardenId }, cancellationToken: cancellationToken))];
    }

    /// <summary>A series, oldest first; when there is more than the limit, the newest part of it.</summary>
    internal async Task<ImmutableArray<SeriesPoint>> SeriesAsync(SeriesRequest request, CancellationToken cancellationToken)
    {
        await using var connection = await _database.OpenAsync(cancellationToken);
        var at = request.Bucket is null ? "recorded_at" : "date_bin(make_interval(secs => @Seconds), recorded_at, 'epoch')";
        return [.. await connection.QueryAsync<SeriesPoint>(new CommandDefinition(
            $"""
            SELECT * FROM (
                SELECT {at} AS "At", avg(value) AS "Value", min(value) AS "Least", max(value) AS "Most", count(*) AS "Count"
                FROM sensor_readings
                WHERE device_id = @DeviceId AND sensor_type = @SensorType AND recorded_at >= @From AND recorded_at < @To
                GROUP BY 1 ORDER BY 1 DESC LIMIT @Limit
            ) newest ORDER BY 1
            """,
            new { request.DeviceId, request.SensorType, request.From, request.To, request.Limit, Seconds = request.Bucket?.TotalSeconds }, cancellationToken: cancellationToken))];
    }
}
