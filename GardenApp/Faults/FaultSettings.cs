using System.Collections.Immutable;

namespace GardenApp.Faults;

/// <summary>The ways in which this process was asked to go wrong. All off by default; read from <c>GARDEN_FAULT_*</c>.</summary>
public sealed record FaultSettings
{
    /// <summary>Waits this long before it listens.</summary>
    public TimeSpan SlowStart { get; init; }

    /// <summary><c>/api/health</c> answers 503 for ever; everything else works.</summary>
    public bool NeverHealthy { get; init; }

    /// <summary>Goes bad this long after the first request that is not a probe: 503 in health, 500 everywhere else.</summary>
    public TimeSpan? FailAfter { get; init; }

    /// <summary>Exits with this code instead of serving.</summary>
    public int? ExitAtStart { get; init; }

    /// <summary>Answers this part of the requests with 500, evenly spread: 0 to 1.</summary>
    public double ErrorRatio { get; init; }

    /// <summary>Answers every request under this path with 500, while health is fine.</summary>
    public string? BrokenPath { get; init; }

    /// <summary>Adds this to every request.</summary>
    public TimeSpan Latency { get; init; }

    /// <summary>Keeps this much more memory every second, in MiB.</summary>
    public int LeakMegabytesPerSecond { get; init; }

    /// <summary>Reports SIGTERM and goes on, until somebody loses patience.</summary>
    public bool IgnoreSigterm { get; init; }

    /// <summary>The faults that are on, as the variables that turned them on.</summary>
    public ImmutableArray<string> Active { get; init; } = [];
}
