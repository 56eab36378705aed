namespace Orchestrator.Backups.Redis.Streams;

/// <summary>What a receiver is doing.</summary>
public enum RedisStreamState
{
    /// <summary>Finds the server, or waits before it tries again.</summary>
    Connecting,

    /// <summary>Takes a full copy.</summary>
    Copying,

    /// <summary>Receives commands as they are made.</summary>
    Streaming,

    /// <summary>A full copy is wanted, and must wait: memory is short, or the last one was just now.</summary>
    Waiting,
}

/// <summary>How a receiver stands.</summary>
public sealed record RedisStreamStatus
{
    public required string Stack { get; init; }

    public required string Service { get; init; }

    public RedisStreamState State { get; init; }

    /// <summary>The replication identifier; empty before the first copy.</summary>
    public string History { get; init; } = "";

    /// <summary>What the server last said its offset is; null: it has not, or the user may not ask.</summary>
    public long? SourceOffset { get; init; }

    /// <summary>Everything up to here survives a power cut of this host.</summary>
    public long LocalOffset { get; init; }

    /// <summary>Everything up to here is in a store.</summary>
    public long OffHostOffset { get; init; }

    /// <summary>Since when the local copy has been behind; null: it is not.</summary>
    public DateTimeOffset? BehindSince { get; init; }

    /// <summary>The age of the oldest command that is in no store yet; null: there is none.</summary>
    public DateTimeOffset? OffHostBehindSince { get; init; }

    /// <summary>Full copies that were taken, the first included.</summary>
    public int Copies { get; init; }

    /// <summary>Times at which the stream was broken: what was written then is in no slice, and a new copy follows it.</summary>
    public int Gaps { get; init; }

    /// <summary>What went wrong last, while it does; null: nothing.</summary>
    public string? Problem { get; init; }

    public string? Hint { get; init; }

    /// <summary>Bytes of commands that are not on this host's disk yet; null: not known.</summary>
    public long? LagBytes => SourceOffset is { } source ? Math.Max(0, source - LocalOffset) : null;

    /// <summary>Bytes of commands that would be lost with this host.</summary>
    public long OffHostLagBytes => Math.Max(0, Math.Max(SourceOffset ?? 0, LocalOffset) - OffHostOffset);
}
