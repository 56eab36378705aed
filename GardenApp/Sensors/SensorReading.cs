namespace GardenApp.Sensors;

/// <summary>One measurement. Device, type and time are its identity: the same three are stored once.</summary>
public sealed record SensorReading
{
    /// <summary>1 to 64 letters, digits, <c>-</c>, <c>_</c>, <c>.</c> and <c>:</c>.</summary>
    public string? DeviceId { get; init; }

    /// <summary>One of <c>temperature humidity soil_moisture light ph</c>.</summary>
    public string? SensorType { get; init; }

    public double? Value { get; init; }

    /// <summary>At most 16 characters, as the device says it.</summary>
    public string? Unit { get; init; }

    /// <summary>When it was measured; left out: now. Kept to the microsecond.</summary>
    public DateTimeOffset? RecordedAt { get; init; }

    /// <summary>The garden that it belongs to, if any.</summary>
    public Guid? GardenId { get; init; }
}
