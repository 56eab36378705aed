namespace GardenApp.Sensors;

/// <summary>One point of a series: a reading, or the summary of a bucket of them.</summary>
public sealed record SeriesPoint
{
    /// <summary>When it was measured, or when the bucket begins.</summary>
    public required DateTimeOffset At { get; init; }

    /// <summary>The value, or the average.</summary>
    public required double Value { get; init; }

    public required double Least { get; init; }

    public required double Most { get; init; }

    /// <summary>How many readings it stands for.</summary>
    public required long Count { get; init; }
}
