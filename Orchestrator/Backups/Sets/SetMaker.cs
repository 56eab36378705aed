using System.Collections.Immutable;
using System.Globalization;
using Microsoft.Extensions.Logging;
using Orchestrator.Backups.Pipeline;
using Orchestrator.Docker;
using Orchestrator.Telemetry;

namespace Orchestrator.Backups.Sets;

/// <summary>
/// Makes a recovery point: databases first, then files (a file is there before the row that names it, and a file too many does no harm), then
/// the configuration; the manifest last. Until that is published, nothing of it exists.
/// </summary>
public sealed partial class SetMaker(BackupVault vault, BackupSources sources, SetLedger ledger, BackupAlerts alerts, TimeProvider time, ILogger<SetMaker> logger)
{
    /// <summary>Sets whose unchanged objects are used again.</summary>
    private const int Reused = 20;

    private static readonly string[] Order = ["postgres", "redis", "volume"];

    /// <summary>Said in the stack's turn.</summary>
    /// <returns>The set, published.</returns>
    /// <exception cref="BackupFailedException">Some part of it could not be had: there is no set, and the journal says why.</exception>
    public async Task<BackupSetRecord> MakeAsync(SetRequest request, OperationProgress progress, CancellationToken cancellationToken)
    {
        var record = await ledger.BeginAsync(request.Stack, request.Reason, await vault.HighestAsync(request.Stack, cancellationToken), cancellationToken);
        progress.Result(record.Id.Value);
        LogBegun(record.Id, request.Stack, request.Reason);
        var began = time.GetTimestamp();
        try
        {
            Refuse(request);
            var recipients = vault.Recipients;
            // What a recipient of now could not read is copied again for it.
            var earlier = (await ledger.StandingAsync(request.Stack, cancellationToken)).Select(set => set.Manifest).OfType<BackupManifest>()
                .Where(manifest => recipients.All(manifest.Recipients.Contains)).Take(Reused);
            var writer = vault.Writer(record, earlier, progress);
            var manifest = await CopyAsync(record, request, writer, progress, cancellationToken);
            if (!recipients.SequenceEqual(vault.Recipients))
                throw new BackupFailedException("The recipients were changed while the set was made: not all of it could be read by all of them", "Run the backup again.");
            progress.Say("publishing");
            var zones = await vault.PublishAsync(manifest, writer, cancellationToken);
            record = record with { State = BackupSetState.Succeeded, EndedAt = time.GetUtcNow(), Manifest = manifest, Zones = zones };
            await ledger.SaveAsync(record, CancellationToken.None);
            await TellAsync(record, time.GetElapsedTime(began), cancellationToken);
            return record;
        }
        catch (Exception failure) when (failure is BackupFailedException or BackupStoreException or EngineException or OperationCanceledException)
        {
            await FailAsync(record, failure);
            throw;
        }
    }

    private static void Refuse(SetRequest request)
    {
        if (!request.Away.IsEmpty)
        {
            throw new BackupFailedException(
                $"{string.Join(", ", request.Away)} of {request.Stack} does not run, so its data cannot be had", $"Start it ('basmalin status {request.Stack}'), or take its backup out of the file.");
        }

        if (request.Subjects.IsEmpty)
            throw new BackupFailedException($"Nothing of {request.Stack} asks to be backed up", "Give its services with data an x-basmalin.backup, e.g. { kind: postgres, every: \"0 1 * * *\" }.");
    }

    private async Task<BackupManifest> CopyAsync(BackupSetRecord record, SetRequest request, BackupWriter writer, OperationProgress progress, CancellationToken cancellationToken)
    {
        var parts = ImmutableArray.CreateBuilder<BackupPart>();
        foreach (var subject in request.Subjects.OrderBy(subject => Array.IndexOf(Order, subject.Backup.Kind)))
        {
            progress.Say($"{subject.Service.Name}: copying");
            parts.Add(await sources.Of(request.Dump ? BackupManifest.DumpKind : subject.Backup.Kind).BackupAsync(subject, writer, cancellationToken));
        }

        if (request.Configuration is { } configuration)
            parts.Add(await sources.Of("configuration").BackupAsync(configuration, writer, cancellationToken));
        return new()
        {
            Id = record.Id,
            Stack = request.Stack,
            CreatedAt = time.GetUtcNow(),
            Release = request.Release,
            Reason = request.Reason,
            Program = vault.Program,
            Recipients = vault.Recipients,
            Parts = parts.ToImmutable(),
        };
    }

    private async Task TellAsync(BackupSetRecord record, TimeSpan took, CancellationToken cancellationToken)
    {
        if (!record.IsDump) BackupMetrics.Made(record.Stack, record.EndedAt ?? time.GetUtcNow(), took, record.Bytes);
        else BackupMetrics.Dumped(record.Stack, record.EndedAt ?? time.GetUtcNow());
        var whole = string.Join(", ", record.Zones.Keys.Where(record.WholeIn));
        LogMade(record.Id, record.Stack, record.Bytes, took.TotalSeconds, whole);
        foreach (var (zone, problem) in record.Zones.Where(zone => zone.Value != BackupSetRecord.Whole))
            alerts.Raise("backup.failed", record.Stack, record.Id.Value, $"the store {zone} does not have the set: {problem}", "The other stores have it. Mend this one; the next set goes there again.");

        var before = (await ledger.StandingAsync(record.Stack, cancellationToken)).FirstOrDefault(set => set.Sequence < record.Sequence && set.IsDump == record.IsDump);
        if (before?.Manifest is not { } old || record.Manifest is not { } now) return;
        var jumps = ContentJumps.Find(old, now);
        BackupMetrics.Jumped(record.Stack, jumps.Length);
        if (!jumps.IsEmpty)
            alerts.Raise("backup.changed", record.Stack, record.Id.Value, string.Join("; ", jumps), string.Create(CultureInfo.InvariantCulture, $"If nobody meant it, the set {before.Id} has what was there."));
    }

    private async Task FailAsync(BackupSetRecord record, Exception failure)
    {
        var interrupted = failure is OperationCanceledException;
        var failed = record with
        {
            State = BackupSetState.Failed,
            EndedAt = time.GetUtcNow(),
            Problem = interrupted ? "It was interrupted: the daemon stopped." : failure.Message,
            Hint = (failure as BackupFailedException)?.Hint ?? "Nothing of it is kept; the next run begins anew.",
        };
        await ledger.SaveAsync(failed, CancellationToken.None);
        BackupMetrics.Failed(record.Stack);
        LogFailed(record.Id, record.Stack, failed.Problem);
        await vault.DiscardAsync(record.Stack, record.Id, CancellationToken.None);
    }

    [LoggerMessage(EventId = 5520, Level = LogLevel.Information, Message = "The set {Set} of {Stack} is begun ({Reason})")]
    private partial void LogBegun(BackupSetId set, string stack, string reason);

    [LoggerMessage(EventId = 5521, Level = LogLevel.Information, Message = "The set {Set} of {Stack} is made: {Bytes} bytes in {Seconds:0.0} s, whole in {Stores}")]
    private partial void LogMade(BackupSetId set, string stack, long bytes, double seconds, string stores);

    [LoggerMessage(EventId = 5522, Level = LogLevel.Error, Message = "The set {Set} of {Stack} could not be made: {Problem}")]
    private partial void LogFailed(BackupSetId set, string stack, string problem);
}
