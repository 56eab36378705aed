using System.Collections.Immutable;
using Orchestrator.Backups.Encryption;
using Orchestrator.Backups.Keeping;
using Orchestrator.Backups.Pipeline;

namespace Orchestrator.Backups.Sets;

/// <summary>Where backups go, and who can read them.</summary>
public sealed record VaultOptions
{
    /// <summary>In the order in which they are read. Empty: there are no backups.</summary>
    public ImmutableArray<IBackupStore> Stores { get; init; } = [];

    /// <summary>Each can read everything alone. Empty: there are no backups.</summary>
    public ImmutableArray<AgeRecipient> Recipients { get; init; } = [];

    /// <summary>Where recipients are added and removed while the daemon runs, in place of <see cref="Recipients"/>; null: they stay as they are.</summary>
    public BackupKeys? Keys { get; init; }

    /// <summary>The keys that this host has itself, for drills and restores; asked anew each time. Throws <see cref="BackupFailedException"/> when they are gone.</summary>
    public Func<ImmutableArray<AgeIdentity>> Identities { get; init; } = () => [];

    public CopyOptions Pipeline { get; init; } = new();

    /// <summary>Version of the program, for manifests.</summary>
    public string Program { get; init; } = "";
}
