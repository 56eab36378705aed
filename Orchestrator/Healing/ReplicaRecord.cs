using System.Collections.Immutable;

namespace Orchestrator.Healing;

/// <summary>Which replica; several containers in the course of time.</summary>
/// <param name="Service">Empty: the stack itself.</param>
/// <param name="Slot">From 1; 0: the service, or the stack, as a whole.</param>
public readonly record struct ReplicaKey(string Service, int Slot)
{
    public static ReplicaKey Of(Drift drift) => new(drift.Service ?? "", drift.Slot);

    public override string ToString() => Slot == 0 ? Service : $"{Service} {Slot}";
}

/// <summary>A replica ended although nobody asked it to.</summary>
/// <param name="At">On the watch's own clock, which is not set.</param>
/// <param name="ExitCode">Null: nobody knows it any more.</param>
public sealed record Death(TimeSpan At, long? ExitCode, bool OomKilled);

/// <summary>Nothing more is done for a replica.</summary>
/// <param name="Reason">One of those below.</param>
/// <param name="Detail">What was seen, with the last lines of the log.</param>
public sealed record Surrender(TimeSpan At, string Reason, string Detail)
{
    /// <summary>It dies again and again.</summary>
    public const string CrashLoop = "crashLoop";

    /// <summary>It was put right again and again, and is not right.</summary>
    public const string NoEffect = "noEffect";

    /// <summary>What it needs is gone, and must not be made anew, empty.</summary>
    public const string VolumeMissing = "volumeMissing";
}

/// <summary>What has become of a replica lately.</summary>
public sealed record ReplicaRecord
{
    /// <summary>Within the window, oldest first.</summary>
    public ImmutableArray<Death> Deaths { get; init; } = [];

    /// <summary>When something was done for it, within the window, oldest first.</summary>
    public ImmutableArray<TimeSpan> Acts { get; init; } = [];

    /// <summary>Why the last act came to nothing; null: it did not.</summary>
    public string? Problem { get; init; }

    /// <summary>Null: it has not been given up.</summary>
    public Surrender? GivenUp { get; init; }

    /// <summary>The container that it was when it was last seen; null: none yet, or the next one's past is not to be counted.</summary>
    public string? Container { get; init; }

    public DateTimeOffset? FinishedAt { get; init; }

    public int Restarts { get; init; }

    /// <summary>Since when it has been unhealthy; null: it is not.</summary>
    public TimeSpan? SickSince { get; init; }

    /// <summary>When it was restarted because it was unhealthy, within the window; null: it was not.</summary>
    public TimeSpan? RestartedSick { get; init; }

    /// <summary>Since when its memory has been above the limit; null: it is not.</summary>
    public TimeSpan? HeavySince { get; init; }
}
