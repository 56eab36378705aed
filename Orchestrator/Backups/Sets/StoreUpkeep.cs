using System.Collections.Immutable;
using System.Globalization;
using Microsoft.Extensions.Logging;
using Orchestrator.Backups.Keeping;

namespace Orchestrator.Backups.Sets;

/// <summary>Keeps the stores of a stack alike: what one has missed is copied to it, and what no set needs goes.</summary>
public sealed partial class StoreUpkeep(BackupVault vault, SetLedger ledger, ILogger<StoreUpkeep> logger)
{
    /// <summary>Uploads that nobody ended are left alone for so long: one of them may be under way.</summary>
    private static readonly TimeSpan Abandoned = TimeSpan.FromDays(2);

    /// <summary>Said in the stack's turn.</summary>
    /// <returns>What was done, in words.</returns>
    /// <exception cref="BackupFailedException">A store did not answer, so that not all of it could be done.</exception>
    public async Task<string> RunAsync(string stack, OperationProgress progress, CancellationToken cancellationToken)
    {
        var repository = vault.Repository(stack);
        progress.Say("looking what each store has");
        var catalogue = await vault.CatalogueAsync(stack, cancellationToken);
        var records = (await ledger.StandingAsync(stack, cancellationToken)).ToDictionary(set => set.Id);
        progress.Say("copying what a store has missed");
        var report = await new StoreCatchUp(repository).RunAsync(
            catalogue, (set, store) => records.TryGetValue(set, out var record) && record.Zones.TryGetValue(store, out var found) && found != BackupSetRecord.Whole, cancellationToken);
        foreach (var (id, stores) in report.Sets.GroupBy(entry => entry.Set, entry => entry.Store).ToDictionary(group => group.Key))
        {
            if (records.TryGetValue(id, out var record))
                await ledger.SaveAsync(record with { Zones = record.Zones.SetItems(stores.Select(store => KeyValuePair.Create(store, BackupSetRecord.Whole))) }, cancellationToken);
        }

        progress.Say("looking for what was never published");
        var over = await ledger.OverAsync(stack, cancellationToken);
        var newest = catalogue.Sets.IsEmpty ? 0 : catalogue.Sets[^1].Manifest.Id.Sequence;
        var known = (await ledger.ListAsync(stack, int.MaxValue, cancellationToken)).Select(record => record.Id).ToHashSet();
        // What this journal does not know may be another daemon's, and still be made: only below what is published it is surely over.
        var (removed, left) = await new OrphanSweep(repository).RunAsync(catalogue, id => over.Contains(id) || (!known.Contains(id) && id.Sequence < newest), cancellationToken);
        await SweepUploadsAsync(cancellationToken);
        ImmutableArray<Pipeline.StoreFailure> failures = [.. report.Failures, .. left];
        if (!failures.IsEmpty)
        {
            LogNotAll(stack, failures[0].Store, failures[0].Key, failures[0].Message);
            throw new BackupFailedException(
                $"The stores of {stack} could not all be brought to one state: {failures[0].Store}: {failures[0].Key}: {failures[0].Message}", "It is tried again by itself. The other stores have what they had.");
        }

        return string.Create(CultureInfo.InvariantCulture, $"{report.Objects} objects copied, {removed} removed");
    }

    private async Task SweepUploadsAsync(CancellationToken cancellationToken)
    {
        foreach (var store in vault.Options.Stores)
        {
            try
            {
                if (await store.SweepAsync(Abandoned, cancellationToken) is > 0 and var swept) LogUploads(store.Name, swept);
            }
            catch (BackupStoreException failure)
            {
                LogNotSwept(store.Name, failure.Message);
            }
        }
    }

    [LoggerMessage(EventId = 5541, Level = LogLevel.Warning, Message = "The stores of {Stack} are not alike yet: {Store}: {Key}: {Problem}")]
    private partial void LogNotAll(string stack, string store, string key, string problem);

    [LoggerMessage(EventId = 5542, Level = LogLevel.Information, Message = "{Count} uploads that nobody had ended were removed from the store {Store}")]
    private partial void LogUploads(string store, int count);

    [LoggerMessage(EventId = 5543, Level = LogLevel.Warning, Message = "Uploads that nobody ended could not be looked for in the store {Store}: {Problem}")]
    private partial void LogNotSwept(string store, string problem);
}
