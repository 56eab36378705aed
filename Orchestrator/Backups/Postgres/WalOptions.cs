namespace Orchestrator.Backups.Postgres;

/// <summary>How the log is received and sent on.</summary>
public sealed record WalOptions
{
    /// <summary>Directory of the daemon for log that is received and not yet in the stores.</summary>
    public required string Directory { get; init; }

    /// <summary>How long what was received may wait for being sent to the stores; at least 100 ms.</summary>
    public TimeSpan SliceEvery { get; init; } = TimeSpan.FromSeconds(3);

    /// <summary>It is sent at once when there is so much of it, in bytes.</summary>
    public long SliceBytes { get; init; } = 4L << 20;

    /// <summary>Log that the stores have not taken may fill this many bytes here. Then no more is received, and the server keeps it.</summary>
    public long LocalLimit { get; init; } = 4L << 30;

    /// <summary>So much may the server keep for us, in bytes, before the slot is given up for the sake of the server's disk.</summary>
    public long SlotLimit { get; init; } = 8L << 30;

    /// <summary>How often a commit of ours marks the time in the log, and the server's position is asked for.</summary>
    public TimeSpan BeatEvery { get; init; } = TimeSpan.FromSeconds(60);

    public TimeSpan PollEvery { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>Longest pause between two attempts to connect; the first are shorter.</summary>
    public TimeSpan LongestPause { get; init; } = TimeSpan.FromSeconds(15);
}
