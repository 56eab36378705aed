using System.Collections.Frozen;

namespace GardenApp.Sensors;

/// <summary>Which readings are believed.</summary>
internal static class ReadingRules
{
    internal const int LargestBatch = 1000;

    // Wider than any garden: a broken sensor should show, a broken parser should not.
    private static readonly FrozenDictionary<string, (double Least, double Most)> Ranges = new Dictionary<string, (double, double)>
    {
        ["temperature"] = (-90, 100),
        ["humidity"] = (0, 100),
        ["soil_moisture"] = (0, 100),
        ["light"] = (0, 200_000),
        ["ph"] = (0, 14),
    }.ToFrozenDictionary(StringComparer.Ordinal);

    internal static bool IsKnownType(string? type) => type is not null && Ranges.ContainsKey(type);

    internal static bool IsDeviceId(string? id) => id is { Length: >= 1 and <= 64 } && id.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.' or ':');

    internal static string TypeProblem => $"sensorType must be one of {string.Join(", ", Ranges.Keys.Order(StringComparer.Ordinal))}";

    /// <summary>Null when the reading is fine.</summary>
    internal static string? Problem(SensorReading reading, DateTimeOffset now) => reading switch
    {
        _ when !IsDeviceId(reading.DeviceId) => "deviceId must be 1 to 64 letters, digits, '-', '_', '.' or ':'",
        _ when !IsKnownType(reading.SensorType) => TypeProblem,
        { Value: null } => "value is required",
        { Value: { } value, SensorType: { } type } when !(value >= Ranges[type].Least && value <= Ranges[type].Most) =>
            $"value of {type} must be from {Ranges[type].Least} to {Ranges[type].Most}",
        { Unit.Length: > 16 } => "unit has at most 16 characters",
        { Unit: { } unit } when unit.Contains('\0', StringComparison.Ordinal) => "unit must not contain a zero character",
        { RecordedAt: { } at } when at > now.AddMinutes(5) => "recordedAt is in the future",
        { RecordedAt: { } at } when at < now.AddYears(-10) => "recordedAt is more than ten years ago",
        _ => null,
    };
}
