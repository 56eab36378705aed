using System.Collections.Immutable;

namespace Orchestrator.Backups.Sets;

/// <summary>What is to be in a set.</summary>
public sealed record SetRequest
{
    public required string Stack { get; init; }

    /// <summary>The release that runs.</summary>
    public required int Release { get; init; }

    /// <summary>See <see cref="BackupManifest.Reason"/>.</summary>
    public required string Reason { get; init; }

    public required ImmutableArray<BackupSubject> Subjects { get; init; }

    /// <summary>True: a logical dump of each, in place of the copy that the stack is restored from.</summary>
    public bool Dump { get; init; }

    /// <summary>Services that should be in it and do not run: their data cannot be had, so there is no set.</summary>
    public ImmutableArray<string> Away { get; init; } = [];

    /// <summary>What the stack is, apart from its data. Null: it is not in the set.</summary>
    public BackupSubject? Configuration { get; init; }
}
