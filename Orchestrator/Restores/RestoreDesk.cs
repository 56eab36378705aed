using Orchestrator.Backups;
using Orchestrator.Backups.Sets;
using Orchestrator.Docker;
using Orchestrator.Journal;

namespace Orchestrator.Restores;

/// <summary>The one door to restores, for people and the API; and what becomes of those that the daemon's end interrupted.</summary>
public sealed class RestoreDesk(OperationBoard board, RestorePreviews previews, RestoreRunner runner, RestoreSwap swap, RestoreLedger ledger, IJournal journal)
{
    public RestoreLedger Ledger => ledger;

    /// <exception cref="BackupFailedException">Nothing fits.</exception>
    public async Task<RestorePreview> PreviewAsync(string stack, string to, CancellationToken cancellationToken) =>
        await previews.MakeAsync(await previews.ChooseAsync(stack, to, cancellationToken), null, cancellationToken);

    /// <summary>What undoing the last deployment together with its data would change.</summary>
    public async Task<RestorePreview> PreviewRollbackAsync(string stack, CancellationToken cancellationToken)
    {
        var (to, release) = await BeforeLastAsync(stack, cancellationToken);
        return await previews.MakeAsync(await previews.ChooseAsync(stack, to, cancellationToken), release, cancellationToken);
    }

    /// <exception cref="BackupFailedException">Nothing fits.</exception>
    public async Task<BackupOperation> RestoreAsync(string stack, string to, string origin, CancellationToken cancellationToken) =>
        Start(await previews.ChooseAsync(stack, to, cancellationToken), null, origin);

    /// <exception cref="BackupFailedException">No recovery point was taken before the last deployment.</exception>
    public async Task<BackupOperation> RollBackAsync(string stack, string origin, CancellationToken cancellationToken)
    {
        var (to, release) = await BeforeLastAsync(stack, cancellationToken);
        return Start(await previews.ChooseAsync(stack, to, cancellationToken), release, origin);
    }

    /// <summary>Puts the volumes that a restore replaced in their place again.</summary>
    public BackupOperation Undo(RestoreRecord record) => board.Start(
        record.Stack,
        "undo",
        async (progress, token) => $"{(await swap.UndoAsync(await ledger.FindAsync(record.Id, token) ?? record, progress, token)).Id}");

    /// <summary>After the daemon's end: what was only being laid out goes; what was proved already is put in its place.</summary>
    public async Task RecoverAsync(CancellationToken cancellationToken)
    {
        foreach (var record in await ledger.OpenAsync(cancellationToken))
        {
            if (record.State == RestoreState.Preparing) await runner.AbandonAsync(record, "The daemon ended in the middle of it.", "Nothing of the stack was changed. Ask for it again.");
            if (record.State == RestoreState.Swapping) board.Start(record.Stack, "restore", (progress, token) => ExchangeAsync(record, progress, token));
        }
    }

    private BackupOperation Start(RestoreChoice choice, int? release, string origin) => board.Start(
        choice.Set.Stack,
        "restore",
        async (progress, token) => await ExchangeAsync(await runner.PrepareAsync(choice, release, origin, progress, token), progress, token));

    private async Task<string> ExchangeAsync(RestoreRecord record, OperationProgress progress, CancellationToken cancellationToken)
    {
        try
        {
            return $"{(await swap.ExchangeAsync(record, progress, cancellationToken)).Id}";
        }
        catch (BackupFailedException failure)
        {
            await runner.AbandonAsync(record, failure.Message, failure.Hint);
            throw;
        }
        catch (EngineException failure)
        {
            await runner.AbandonAsync(record, failure.Message, null);
            throw;
        }
    }

    private async Task<(string To, int Release)> BeforeLastAsync(string stack, CancellationToken cancellationToken)
    {
        if (await journal.FindStackAsync(stack, cancellationToken) is not { CurrentRelease: > 0 } state)
            throw new BackupFailedException($"{stack} has no release", "'basmalin status' shows the stacks.");
        var releases = await journal.ListReleasesAsync(stack, cancellationToken);
        var current = releases.FirstOrDefault(release => release.Number == state.CurrentRelease) ?? throw new BackupFailedException($"Release {state.CurrentRelease} of {stack} is no longer kept", "Restore a set instead.");
        var before = releases.FirstOrDefault(release => release.Committed && release.Number < state.CurrentRelease)
            ?? throw new BackupFailedException($"{stack} has no committed release before {state.CurrentRelease}", $"'basmalin history {stack}' lists the releases.");
        return ($"before-deployment:{current.Deployment}", before.Number);
    }
}
