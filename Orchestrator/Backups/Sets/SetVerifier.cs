using System.Collections.Immutable;
using System.Globalization;

namespace Orchestrator.Backups.Sets;

/// <summary>Whether the stores still hold what was written. Needs no key.</summary>
public sealed class SetVerifier(BackupVault vault, SetLedger ledger)
{
    /// <returns>The set, with what was found in each store.</returns>
    /// <exception cref="BackupFailedException">No store has it whole, or one that had it has not any more.</exception>
    public async Task<BackupSetRecord> RunAsync(BackupSetRecord set, OperationProgress progress, CancellationToken cancellationToken)
    {
        if (set is not { State: BackupSetState.Succeeded, Manifest: { } manifest })
            throw new BackupFailedException($"The set {set.Id} of {set.Stack} is {set.State.ToString().ToLowerInvariant()}: there is nothing to verify", "'basmalin backup list' shows those that stand.");

        var zones = await vault.VerifyAsync(manifest, progress, cancellationToken);
        var found = set with { Zones = zones };
        await ledger.SaveAsync(found, CancellationToken.None);
        var worse = zones.Where(zone => zone.Value != BackupSetRecord.Whole).ToImmutableArray();
        if (worse.IsEmpty) return found;

        throw new BackupFailedException(
            string.Create(CultureInfo.InvariantCulture, $"The set {set.Id} of {set.Stack} is whole in {zones.Count - worse.Length} of {zones.Count} stores; {string.Join("; ", worse.Select(zone => $"{zone.Key}: {zone.Value}"))}"),
            worse.Length == zones.Count ? "It cannot be restored. Make a new one at once, and look at the stores." : "It can be restored from the others. Mend the store; the next set goes there again.");
    }
}
