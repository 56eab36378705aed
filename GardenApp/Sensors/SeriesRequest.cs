namespace GardenApp.Sensors;

/// <summary>Which series is wanted. <paramref name="To"/> is exclusive; without a bucket every reading is a point.</summary>
internal sealed record SeriesRequest(string DeviceId, string SensorType, DateTimeOffset From, DateTimeOffset To, TimeSpan? Bucket, int Limit);
