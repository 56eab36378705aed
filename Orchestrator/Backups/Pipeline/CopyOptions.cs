namespace Orchestrator.Backups.Pipeline;

public sealed record CopyOptions
{
    /// <summary>Of zstd, from 1 to 19. More than 1 costs more time than it saves space (measured on dumps: 4 times for 5 %).</summary>
    public int Level { get; init; } = 1;

    /// <summary>Threads that compress, from 0 (the writing one) to 64.</summary>
    public int Workers { get; init; } = Math.Clamp(Environment.ProcessorCount, 1, 4);

    /// <summary>How long a store may take nothing at all while it is being written to. Then it is left behind, and the others go on.</summary>
    public TimeSpan Patience { get; init; } = TimeSpan.FromMinutes(2);

    /// <summary>After three failures in a row a store is not tried for so long.</summary>
    public TimeSpan Pause { get; init; } = TimeSpan.FromSeconds(30);
}

/// <summary>How far a copy has come.</summary>
/// <param name="What">Name of what is being copied.</param>
/// <param name="Bytes">Of the content, so far.</param>
/// <param name="Of">In all, where that is known.</param>
public sealed record BackupProgress(string What, long Bytes, long? Of);

/// <summary>A store that did not take, or does not hold, an object.</summary>
public sealed record StoreFailure(string Store, string Key, string Message);
