using Microsoft.Extensions.Logging;
using Orchestrator.Backups.Keeping;
using Orchestrator.Backups.Postgres;
using Orchestrator.Docker;
using Orchestrator.Telemetry;

namespace Orchestrator.Backups.Sets;

/// <summary>Takes away what must go: what an interrupted run left, and sets that retention no longer wants.</summary>
public sealed partial class SetKeeping(BackupVault vault, SetLedger ledger, ImageTool tool, ILogger<SetKeeping> logger)
{
    private const int Stacks = 1000;

    /// <summary>At start: sets that were being made when the daemon ended have failed, and what they left in the stores goes.</summary>
    public async Task RecoverAsync(CancellationToken cancellationToken)
    {
        foreach (var left in await ledger.InterruptedAsync(cancellationToken))
        {
            LogInterrupted(left.Id, left.Stack);
            await vault.DiscardAsync(left.Stack, left.Id, cancellationToken);
        }

        var known = await ledger.ListAsync(null, Stacks, cancellationToken);
        foreach (var stack in known.Select(set => set.Stack).Distinct()) await RemoveToolsAsync(stack, cancellationToken);
        var newest = known.Where(set => set is { State: BackupSetState.Succeeded, IsDump: false }).DistinctBy(set => set.Stack);
        foreach (var set in newest) BackupMetrics.Stands(set.Stack, set.EndedAt ?? set.StartedAt, set.Took ?? TimeSpan.Zero, set.Bytes);
    }

    /// <summary>Programs that were copying when the daemon ended wait for nobody now; and the files with their passwords go as well.</summary>
    private async Task RemoveToolsAsync(string stack, CancellationToken cancellationToken)
    {
        try
        {
            var left = await tool.RemoveLeftoversAsync(stack, cancellationToken);
            if (left > 0) LogToolsRemoved(stack, left);
        }
        catch (EngineException away)
        {
            LogToolsNotRemoved(stack, away.Message);
        }
    }

    /// <summary>After a set was made: that something old could not be taken away does not make the set worse.</summary>
    public async Task TidyAsync(string stack, RetentionRules rules, CancellationToken cancellationToken)
    {
        try
        {
            await KeepAsync(stack, rules, onlyShow: false, cancellationToken);
        }
        catch (Exception failure) when (failure is BackupFailedException or BackupStoreException)
        {
            LogIncomplete(stack, "", failure.Message);
        }
    }

    /// <summary>Carries retention out. Nothing is removed while a store does not answer, or while no set is proved.</summary>
    /// <returns>What was decided, and why.</returns>
    public async Task<RetentionPlan> KeepAsync(string stack, RetentionRules rules, bool onlyShow, CancellationToken cancellationToken)
    {
        var records = (await ledger.StandingAsync(stack, cancellationToken)).ToDictionary(set => set.Id);
        var catalogue = await vault.CatalogueAsync(stack, cancellationToken);
        var streams = await vault.Repository(stack).Reader([]).ListAsync(BackupLayout.Streams(stack), cancellationToken);
        // Dumps apart: the rules count each of the two by itself, and streams have nothing to do with dumps.
        var sets = catalogue.Sets.ToLookup(set => set.Manifest.IsDump, set => RetentionSet.Of(set.Manifest, records.GetValueOrDefault(set.Manifest.Id)?.ProvedAt is not null));
        var plan = Retention.Decide(sets[false], streams.Select(item => item.Key), rules);
        plan = plan with { Decisions = plan.Decisions.AddRange(Retention.Decide(sets[true], [], rules).Decisions) };
        if (catalogue.Incomplete) plan = plan with { Blocked = $"the store {catalogue.Failures[0].Store} did not answer in whole: {catalogue.Failures[0].Message}" };
        if (onlyShow) return plan;
        if (catalogue.Incomplete)
        {
            LogIncomplete(stack, catalogue.Failures[0].Store, catalogue.Failures[0].Message);
            return plan;
        }

        var failures = await new SetKeeper(vault.Repository(stack)).RemoveAsync(plan, catalogue, cancellationToken);
        foreach (var failure in failures) LogNotRemoved(stack, failure.Store, failure.Key, failure.Message);
        foreach (var gone in plan.Decisions.Where(decision => !decision.Kept && failures.IsEmpty))
        {
            if (records.TryGetValue(gone.Set, out var record)) await ledger.SaveAsync(record with { State = BackupSetState.Deleted }, cancellationToken);
        }

        return plan;
    }

    [LoggerMessage(EventId = 5531, Level = LogLevel.Warning, Message = "Of the backups of {Stack} nothing is removed: the store {Store} did not answer in whole: {Problem}")]
    private partial void LogIncomplete(string stack, string store, string problem);

    [LoggerMessage(EventId = 5532, Level = LogLevel.Warning, Message = "Backups of {Stack}: {Store} did not remove {Key}, it is tried again with the next set: {Problem}")]
    private partial void LogNotRemoved(string stack, string store, string key, string problem);

    [LoggerMessage(EventId = 5533, Level = LogLevel.Information, Message = "{Stack}: {Count} containers that an earlier run of the daemon was copying with are gone")]
    private partial void LogToolsRemoved(string stack, int count);

    [LoggerMessage(EventId = 5534, Level = LogLevel.Warning, Message = "{Stack}: what an earlier run of the daemon was copying with is not removed: {Problem}")]
    private partial void LogToolsNotRemoved(string stack, string problem);

    [LoggerMessage(EventId = 5530, Level = LogLevel.Warning, Message = "The set {Set} of {Stack} was being made when the daemon ended: it failed, and what there is of it is taken away")]
    private partial void LogInterrupted(BackupSetId set, string stack);
}
