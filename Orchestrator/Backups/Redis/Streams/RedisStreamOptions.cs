namespace Orchestrator.Backups.Redis.Streams;

/// <summary>How streams of commands are received.</summary>
public sealed record RedisStreamOptions
{
    /// <summary>Where what was received is kept, readable by the daemon alone.</summary>
    public required string Directory { get; init; }

    /// <summary>How often what was received is sent to the stores: the most that is lost with the host.</summary>
    public TimeSpan SliceEvery { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>So many slices are merged into one object, so that a day is not seventeen thousand.</summary>
    public int MergeSlices { get; init; } = 60;

    /// <summary>How often a slice is sent while Redis has nothing to say but that it is there.</summary>
    public TimeSpan IdleSliceEvery { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>The least time between two full copies, of which each makes Redis fork.</summary>
    public TimeSpan CopyPause { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>Commands on the disk, in bytes, above which a new copy is taken in their place, unless twice the copy is more.</summary>
    public long CommandBytes { get; init; } = 256L * 1024 * 1024;
}
