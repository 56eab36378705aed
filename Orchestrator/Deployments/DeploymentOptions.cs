using System.Collections.Immutable;

namespace Orchestrator.Deployments;

/// <summary>What the operator allows and keeps.</summary>
public sealed record DeploymentOptions
{
    /// <summary>Share of the engine's disk that must be free before a deployment begins; from 0 to 0.9.</summary>
    public double DiskFloorRatio { get; init; } = 0.10;

    /// <summary>Bytes that must be free on the engine's disk; the larger of both floors counts.</summary>
    public long DiskFloorBytes { get; init; } = 5L << 30;

    /// <summary>Committed releases that are kept for rolling back, besides the current and the warm one; from 1 to 100.</summary>
    public int KeepReleases { get; init; } = 5;

    /// <summary>Deployments that each stack's history keeps; from 10 to 10,000.</summary>
    public int KeepDeployments { get; init; } = 200;

    /// <summary>Prefixes of image references that may run; empty: any.</summary>
    public ImmutableArray<string> AllowedImages { get; init; } = [];

    public ImmutableArray<FreezeWindow> FreezeWindows { get; init; } = [];
}

/// <summary>A time in which nothing is deployed unless it is forced.</summary>
/// <param name="Days">Days on which it begins; empty: every day.</param>
/// <param name="From">Local time of its begin.</param>
/// <param name="To">Local time of its end; earlier than <paramref name="From"/>: it ends on the next day.</param>
public sealed record FreezeWindow(ImmutableArray<DayOfWeek> Days, TimeOnly From, TimeOnly To, TimeZoneInfo Zone)
{
    public bool Contains(DateTimeOffset instant)
    {
        var local = TimeZoneInfo.ConvertTime(instant, Zone);
        var time = TimeOnly.FromTimeSpan(local.TimeOfDay);
        return From <= To
            ? Begins(local.DayOfWeek) && time >= From && time < To
            : (Begins(local.DayOfWeek) && time >= From) || (Begins(local.AddDays(-1).DayOfWeek) && time < To);
    }

    private bool Begins(DayOfWeek day) => Days.IsDefaultOrEmpty || Days.Contains(day);
}
