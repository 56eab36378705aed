using System.Collections.Immutable;

namespace Orchestrator.Backups.Postgres;

/// <summary>Where the log of one cluster stands: what could be lost at this moment, and what is wrong.</summary>
public sealed record WalStatus
{
    public string? SystemIdentifier { get; init; }

    public uint Timeline { get; init; }

    /// <summary>True while the server sends.</summary>
    public bool Streaming { get; init; }

    /// <summary>The end of the server's log when it was last asked.</summary>
    public Lsn Server { get; init; }

    /// <summary>On this host's disk.</summary>
    public Lsn Durable { get; init; }

    /// <summary>In the stores.</summary>
    public Lsn OffHost { get; init; }

    /// <summary>Bytes that exist on the server only.</summary>
    public long LocalLag => Math.Max(0, Server - Durable);

    /// <summary>Bytes that are in no store.</summary>
    public long OffHostLag => Math.Max(0, Server - OffHost);

    /// <summary>Since when the stores have lacked something, by the clock of this host; null: they have all.</summary>
    public DateTimeOffset? BehindSince { get; init; }

    /// <summary>Since when this host has lacked something; null: it has all.</summary>
    public DateTimeOffset? LocalBehindSince { get; init; }

    /// <summary>Bytes of log that the server keeps for us.</summary>
    public long SlotLag { get; init; }

    /// <summary>Bytes that may still be written before the server gives the slot up; null: no limit is set, or it does not say (before version 13).</summary>
    public long? SlotRoom { get; init; }

    /// <summary>When, at the present rate, what the server may keep for us will be used up, by its own limit or by ours; null: it is not being used up.</summary>
    public TimeSpan? UntilFull { get; init; }

    /// <summary>Commits wait for this host.</summary>
    public bool Synchronous { get; init; }

    /// <summary>Parts of the log that nobody has, as far as this process has seen them; each was answered with the wish for a new base.</summary>
    public ImmutableArray<WalGap> Gaps { get; init; } = [];

    /// <summary>Why a new base is needed now; null: it is not. <see cref="WalReceiver.BaseTaken"/> takes it back.</summary>
    public string? NewBaseReason { get; init; }

    /// <summary>What is wrong now, with the line that mends it.</summary>
    public ImmutableArray<BackupFinding> Findings { get; init; } = [];

    public TimeSpan OffHostLagTime(DateTimeOffset now) => BehindSince is { } since && now > since ? now - since : TimeSpan.Zero;

    public TimeSpan LocalLagTime(DateTimeOffset now) => LocalBehindSince is { } since && now > since ? now - since : TimeSpan.Zero;
}
