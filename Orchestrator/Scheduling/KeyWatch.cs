using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using Orchestrator.Backups;
using Orchestrator.Backups.Encryption;
using Orchestrator.Backups.Keeping;
using Orchestrator.Backups.Sets;
using Orchestrator.Journal;
using Orchestrator.Telemetry;

namespace Orchestrator.Scheduling;

/// <summary>
/// Sees that what is backed up can be decrypted: tells when a key has vanished or is the only one, and decrypts something of each stack's newest set with the
/// host's own key, when there is a new set and at least once a day. Makes the host's key on a machine that has none, where no store has ever been used.
/// </summary>
public sealed partial class KeyWatch(BackupVault vault, SetLedger ledger, IJournal journal, BackupAlerts alerts, TimeProvider time, ILogger<KeyWatch> logger)
{
    private static readonly TimeSpan Daily = TimeSpan.FromHours(24);
    private static readonly TimeSpan BetweenLooks = TimeSpan.FromMinutes(1);
    private const string Host = "the host's key";

    private readonly ConcurrentDictionary<string, Checked> _stacks = new(StringComparer.Ordinal);
    private string _told = "";
    private long? _looked;
    private bool _othersAnswered;

    /// <summary>What is wrong with the keys now; null: nothing.</summary>
    public BackupFinding? Problem => vault.Options.Keys?.Problem;

    public async Task LookAsync(CancellationToken cancellationToken)
    {
        if (vault.Options.Stores.IsEmpty || (_looked is { } last && time.GetElapsedTime(last) < BetweenLooks)) return;

        _looked = time.GetTimestamp();
        if (vault.Options.Keys is { HasHostKey: false } keys && !_othersAnswered) await MakeAsync(keys, cancellationToken);
        Tell();
        foreach (var state in await journal.ListStacksAsync(cancellationToken))
        {
            if (await ledger.NewestAsync(state.Stack, cancellationToken) is { Manifest: { } manifest }) await CheckAsync(manifest, cancellationToken);
        }
    }

    /// <summary>Decrypts something of the set, unless that was done today.</summary>
    internal async Task CheckAsync(BackupManifest manifest, CancellationToken cancellationToken)
    {
        if (_stacks.TryGetValue(manifest.Stack, out var before) && before.Set == manifest.Id && time.GetElapsedTime(before.At) < Daily) return;

        var problem = await TryAsync(manifest, cancellationToken);
        _stacks[manifest.Stack] = new(manifest.Id, time.GetTimestamp());
        BackupMetrics.KeyChecked(manifest.Stack, problem is null, time.GetUtcNow());
        if (problem is { } what) alerts.Raise("key.failed", manifest.Stack, manifest.Id.Value, what.What, what.Hint);
        else LogProved(manifest.Id, manifest.Stack);
    }

    private async Task<BackupFinding?> TryAsync(BackupManifest manifest, CancellationToken cancellationToken)
    {
        try
        {
            await DrillKey.ProveAsync(vault.Repository(manifest.Stack), manifest, vault.Options.Identities(), cancellationToken);
            return null;
        }
        catch (BackupFailedException failure)
        {
            return new(Blocking: true, $"The newest set could not be decrypted with the host's own key: {failure.Message}", failure.Hint);
        }
        catch (Exception failure) when (failure is BackupStoreException or IOException)
        {
            return new(Blocking: true, $"The newest set could not be decrypted: {failure.Message}", "Look at the stores; it is tried again tomorrow, and when a new set is made.");
        }
    }

    /// <summary>Only where every store answers and none has anything: else there were keys once, and somebody must say that a new one is meant.</summary>
    private async Task MakeAsync(BackupKeys keys, CancellationToken cancellationToken)
    {
        if (keys.Holders.Any(holder => holder.IsHost)) return;       // it has vanished

        try
        {
            foreach (var store in vault.Options.Stores)
            {
                var stacks = await SetCatalogue.StacksInAsync(store, cancellationToken);
                if (stacks.IsEmpty) continue;

                _othersAnswered = true;
                var other = stacks[0];
                LogNotMade(store.Name, other);
                return;
            }

            var made = keys.MakeHostKey(onPurpose: false);
            LogMade(made);
        }
        catch (Exception failure) when (failure is BackupStoreException or BackupFailedException or IOException)
        {
            LogNotYet(failure.Message);
        }
    }

    private void Tell()
    {
        var problem = Problem;
        if (problem?.What == _told || (problem is null && _told.Length == 0)) return;

        _told = problem?.What ?? "";
        if (problem is { Blocking: true }) alerts.Raise("key.failed", "", Host, problem.What, problem.Hint);
        else if (problem is not null) LogWarning(problem.What, problem.Hint);
    }

    [LoggerMessage(EventId = 5610, Level = LogLevel.Debug, Message = "The set {Set} of {Stack} can be decrypted with the host's key")]
    private partial void LogProved(BackupSetId set, string stack);

    [LoggerMessage(EventId = 5611, Level = LogLevel.Error, Message = "No key is made for this host: the store {Store} has sets of {Stack} already, so there was one. Put backup.key and backup.recipients back into the data directory, or say 'basmalin backup init --host-key'")]
    private partial void LogNotMade(string store, string stack);

    [LoggerMessage(EventId = 5612, Level = LogLevel.Information, Message = "A key for drills and restores was made for this host ({Key}): no store had anything yet")]
    private partial void LogMade(AgeRecipient key);

    [LoggerMessage(EventId = 5613, Level = LogLevel.Warning, Message = "No key is made for this host before every store answers: {Problem}")]
    private partial void LogNotYet(string problem);

    [LoggerMessage(EventId = 5614, Level = LogLevel.Warning, Message = "Backups: {What}. {Hint}")]
    private partial void LogWarning(string what, string hint);

    private sealed record Checked(BackupSetId Set, long At);
}
