using Orchestrator.Backups.Sets;
using Orchestrator.Deployments;
using Orchestrator.Restores;
using Orchestrator.Scheduling;

namespace Orchestrator.Agent.StatusPage;

/// <summary>Reads what the page shows of a stack's backups.</summary>
internal sealed class BackupFeed(SetLedger sets, DrillLedger drills, BackupCalendar calendar, OperationBoard operations, BackupWarnings warnings, ContinuousStreams streams)
{
    private const int Few = 20;

    /// <returns>Null: nothing is known of backups of this stack.</returns>
    public async Task<BackupBoard?> OfAsync(string stack, CancellationToken cancellationToken)
    {
        var recent = await sets.ListAsync(stack, Few, cancellationToken);
        var next = await calendar.NextAsync(stack, cancellationToken);
        var now = operations.List().Where(operation => operation.Stack == stack && !operation.Ended).ToList();
        if (recent.IsEmpty && next.IsEmpty && now.Count == 0) return null;

        var standing = recent.Where(set => set is { State: BackupSetState.Succeeded, IsDump: false }).ToList();
        // A dump is proved as a part of being made; what is shown is how the stack would come back.
        var dumps = recent.Where(set => set.IsDump).Select(set => set.Id.Value).ToHashSet();
        var proofs = (await drills.ListAsync(stack, Few, cancellationToken)).Where(drill => !dumps.Contains(drill.Set)).ToList();
        return new(
            standing.FirstOrDefault(),
            recent.FirstOrDefault(set => set.State != BackupSetState.Running) is { State: BackupSetState.Failed } failed ? failed : null,
            proofs.FirstOrDefault(),
            next,
            [.. now])
        {
            Warnings = await warnings.OfAsync(stack, cancellationToken),
            Streams = [.. streams.States.Where(stream => stream.Stack == stack)],
            Sets = [.. standing.AsEnumerable().Reverse()],
            Drills = [.. proofs.AsEnumerable().Reverse()],
            BytesBefore = standing.Count > 1 ? standing[1].Bytes : null,
        };
    }
}
