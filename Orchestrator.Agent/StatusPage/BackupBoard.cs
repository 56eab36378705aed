using System.Collections.Immutable;
using Orchestrator.Backups;
using Orchestrator.Backups.Sets;
using Orchestrator.Deployments;
using Orchestrator.Restores;

namespace Orchestrator.Agent.StatusPage;

/// <summary>What there is to show of a stack's backups.</summary>
/// <param name="Newest">The newest set that can be restored; null: none.</param>
/// <param name="Failed">The newest set, where it failed; null: it did not.</param>
/// <param name="Drill">The latest drill; null: none.</param>
/// <param name="Next">backup, drill → when it is due next.</param>
/// <param name="Now">What goes on.</param>
internal sealed record BackupBoard(
    BackupSetRecord? Newest,
    BackupSetRecord? Failed,
    DrillRecord? Drill,
    ImmutableSortedDictionary<string, DateTimeOffset> Next,
    ImmutableArray<BackupOperation> Now)
{
    /// <summary>What is received continuously.</summary>
    public ImmutableArray<StreamState> Streams { get; init; } = [];

    /// <summary>What somebody should know: who can read them, whether one is proved, what is overdue.</summary>
    public ImmutableArray<BackupFinding> Warnings { get; init; } = [];

    /// <summary>Sets that the stack could be brought back from, oldest first.</summary>
    public ImmutableArray<BackupSetRecord> Sets { get; init; } = [];

    /// <summary>Drills of such sets, oldest first.</summary>
    public ImmutableArray<DrillRecord> Drills { get; init; } = [];

    /// <summary>The set before the newest one, for comparison.</summary>
    public long? BytesBefore { get; init; }
}
