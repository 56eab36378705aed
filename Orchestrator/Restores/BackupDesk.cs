using System.Globalization;
using Orchestrator.Backups;
using Orchestrator.Backups.Keeping;
using Orchestrator.Backups.Sets;
using Orchestrator.Deployments;

namespace Orchestrator.Restores;

/// <summary>The one door to backups and drills, for people, schedules and the API.</summary>
public sealed class BackupDesk(OperationBoard board, StackBackups backups, DrillRunner drills, SetLedger sets, BackupAlerts alerts)
{
    public OperationBoard Board => board;

    /// <summary>Raised with the stack of which a set was made. Must not throw.</summary>
    public event Action<string>? Made
    {
        add => backups.Made += value;
        remove => backups.Made -= value;
    }

    /// <param name="reason"><c>manual</c> or <c>schedule</c>.</param>
    public BackupOperation BackUp(string stack, string reason, Func<BackupOperation, Task>? ended = null) =>
        board.Start(stack, "backup", async (progress, token) => (await backups.MakeAsync(stack, reason, progress, token)).Id.Value, over => EndedAsync(over, "backup.failed", ended));

    /// <summary>A logical dump of the stack's databases, which is loaded into a throw-away server at once: one that has not been does not count.</summary>
    /// <param name="reason"><c>manual</c> or <c>schedule</c>.</param>
    public BackupOperation Dump(string stack, string reason, Func<BackupOperation, Task>? ended = null) => board.Start(
        stack,
        "dump",
        async (progress, token) =>
        {
            var made = await backups.DumpAsync(stack, reason, progress, token);
            var record = await drills.RunAsync(made, progress, token);
            return record.Passed ? made.Id.Value : throw new BackupFailedException($"Drill {record.Number} of the dump {made.Id}: {record.Problem}", record.Hint ?? "");
        },
        over => EndedAsync(over, "backup.failed", ended));

    /// <param name="set">Null: the newest that can be restored.</param>
    public BackupOperation Drill(string stack, BackupSetId? set, Func<BackupOperation, Task>? ended = null) => board.Start(
        stack,
        "drill",
        async (progress, token) =>
        {
            var record = await drills.RunAsync(await FindAsync(stack, set, token), progress, token);
            progress.Result($"{record.Number}");
            return record.Passed ? $"{record.Number}" : throw new BackupFailedException($"Drill {record.Number}: {record.Problem}", record.Hint ?? "");
        },
        over => EndedAsync(over, "drill.failed", ended));

    /// <summary>Reads everything of a set back from every store.</summary>
    public BackupOperation Verify(BackupSetRecord set) => board.Start(
        set.Stack,
        "verify",
        async (progress, token) => (await backups.VerifyAsync(set, progress, token)).Id.Value,
        over => EndedAsync(over, "backup.failed", null));

    /// <summary>What retention would take away now, and why it keeps the rest. Changes nothing.</summary>
    /// <exception cref="BackupFailedException">The stack does not run, or no store can be asked.</exception>
    public Task<RetentionPlan> RetentionAsync(string stack, CancellationToken cancellationToken) => backups.RetentionAsync(stack, cancellationToken);

    /// <summary>Carries retention out now.</summary>
    public BackupOperation Prune(string stack) => board.Start(
        stack,
        "prune",
        async (progress, token) => (await backups.PruneAsync(stack, progress, token)).Decisions.Count(decision => !decision.Kept).ToString(CultureInfo.InvariantCulture),
        over => EndedAsync(over, "backup.failed", null));

    private async Task<BackupSetRecord> FindAsync(string stack, BackupSetId? set, CancellationToken cancellationToken)
    {
        var found = set is { } id
            ? await sets.FindAsync(stack, id, cancellationToken)
            : (await sets.StandingAsync(stack, cancellationToken)).FirstOrDefault(known => !known.IsDump);
        return found ?? throw new BackupFailedException(
            set is { } named ? $"{stack} has no set {named}" : $"{stack} has no set that can be restored", $"'basmalin backup list {stack}' shows the sets; 'basmalin backup run {stack}' makes one.");
    }

    private async Task EndedAsync(BackupOperation over, string what, Func<BackupOperation, Task>? ended)
    {
        // The daemon's own stop is no failure of the backup: the run is taken up again.
        if (over.State == OperationState.Failed && !board.Stopping) alerts.Raise(what, over.Stack, over.Result ?? over.Kind, over.Problem ?? "", over.Hint);
        if (ended is not null) await ended(over);
    }
}
