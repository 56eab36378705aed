using System.Collections.Immutable;
using Microsoft.Extensions.Logging;
using Orchestrator.Backups;
using Orchestrator.Backups.Sets;
using Orchestrator.Deployments;
using Orchestrator.Docker;
using Orchestrator.Journal;
using Orchestrator.Telemetry;

namespace Orchestrator.Restores;

/// <summary>
/// Restores a set into throw-away containers and volumes on a network without a way out, holds it against what was there at the backup, and lets the
/// application itself try it. What comes of it is written down, and everything is taken away. Production is not touched: nothing of it is even named.
/// </summary>
public sealed partial class DrillRunner(DrillRoom room, SetLedger sets, DrillLedger ledger, IJournal journal, TimeProvider time, ILogger<DrillRunner> logger)
{
    /// <summary>How long a database may take to recover.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromHours(4);
    private static readonly TimeSpan CleaningBudget = TimeSpan.FromMinutes(2);

    /// <summary>Said in the stack's turn.</summary>
    /// <exception cref="BackupFailedException">There is nothing to be drilled. A set that does not pass is no exception: the record says so.</exception>
    public async Task<DrillRecord> RunAsync(BackupSetRecord set, OperationProgress progress, CancellationToken cancellationToken)
    {
        if (set is not { State: BackupSetState.Succeeded, Manifest: { } manifest })
            throw new BackupFailedException($"The set {set.Id} of {set.Stack} cannot be restored: it is {set.State.ToString().ToLowerInvariant()}", "'basmalin backup list' shows those that can.");

        var release = await journal.ReleaseOfAsync(set.Stack, manifest, cancellationToken);
        var run = new Run(set, manifest, release, time);
        await ProveAsync(run, progress, cancellationToken);
        var record = await ledger.AppendAsync(run.Record(), CancellationToken.None);
        BackupMetrics.Drilled(record.Stack, record.Passed);
        if (record.Passed && !manifest.IsDump) BackupMetrics.Proved(record.Stack, record.EndedAt, record.RecoverySeconds);
        if (record.Passed) await sets.SaveAsync(set with { ProvedAt = record.EndedAt }, CancellationToken.None);
        Tell(record);
        return record;
    }

    private async Task ProveAsync(Run run, OperationProgress progress, CancellationToken cancellationToken)
    {
        var name = Shadow.NameOf(run.Set.Stack, "drill", time.GetUtcNow().ToUnixTimeMilliseconds());
        var services = run.Manifest.IsDump ? [.. run.Manifest.Parts.Select(part => part.Service)] : Shadow.ServicesOf(run.Release.Stack);
        var shadow = Shadow.Of(run.Release, name, services, ImmutableSortedDictionary<string, string>.Empty, Patience);
        try
        {
            await (run.Manifest.IsDump ? LoadAsync(run, shadow, progress, cancellationToken) : StepsAsync(run, shadow, progress, cancellationToken));
        }
        catch (BackupFailedException failure)
        {
            run.Fail(failure.Message, failure.Hint);
        }
        catch (Exception failure) when (failure is BackupStoreException or EngineException)
        {
            run.Fail(failure.Message, "The set may be whole all the same: drill it again when the store and the engine answer.");
        }
        finally
        {
            // Its own budget: the caller's token may be why we are here.
            using var budget = new CancellationTokenSource(CleaningBudget, time);
            await room.Shadows.RemoveAsync(name, budget.Token);
        }
    }

    private async Task StepsAsync(Run run, Shadow shadow, OperationProgress progress, CancellationToken cancellationToken)
    {
        var mounted = RestoredData.VolumesOf(run.Release.Stack, run.Manifest);
        var volumes = shadow.Release.Stack.Volumes.Where(volume => mounted.Contains(volume.Key)).ToImmutableSortedDictionary(volume => volume.Key, volume => volume.Name);
        await room.Shadows.PrepareAsync(shadow, cancellationToken);
        await run.PhaseAsync("fetch", () => room.Data.LayAsync(run.Release, run.Manifest, new RestorePoint.OfSet(), volumes, shadow.Name, new(room.Vault.Reader(run.Set.Stack), progress), cancellationToken));
        run.Add(RestoredData.DataOf(run.Manifest).Select(part => new DrillCheck(part.Service, "whole as it was stored", true, $"{part.Objects.Length} objects decrypted, every hash as it was")));

        await run.PhaseAsync("files", async () => run.Add(await room.Proof.FilesAsync(await room.Data.TargetsAsync(run.Release, run.Manifest, volumes, shadow.Name, cancellationToken), progress, cancellationToken)));
        ImmutableArray<BackupSubject> subjects = [];
        await run.PhaseAsync("start", async () => subjects = await room.Proof.StartAsync(shadow, run.Manifest, progress, cancellationToken));
        var running = subjects;
        subjects = subjects.AddRange(DataProof.FilesOf(shadow, run.Manifest, await room.DirectoriesAsync(volumes, cancellationToken)));
        await run.PhaseAsync("check", async () => run.Add(await room.Proof.CompareAsync(subjects, run.Manifest, exact: true, progress, cancellationToken)));
        await run.PhaseAsync("indexes", async () => run.Add(await room.Proof.IndexesAsync(running, run.Manifest, progress, cancellationToken)));
        if (run.Failed) return;

        await run.PhaseAsync("application", async () => run.Add(await room.Application.RunAsync(shadow, progress, cancellationToken)));
    }

    /// <summary>A dump goes into an empty server of the same image; the application is tried on the physical copy.</summary>
    private async Task LoadAsync(Run run, Shadow shadow, OperationProgress progress, CancellationToken cancellationToken)
    {
        await room.Shadows.PrepareAsync(shadow, cancellationToken);
        foreach (var part in run.Manifest.Parts)
        {
            BackupSubject? loaded = null;
            await run.PhaseAsync($"load {part.Service}", async () => loaded = await room.Proof.LoadAsync(shadow, part, room.Vault.Reader(run.Set.Stack), progress, cancellationToken));
            if (loaded is not { } subject) continue;
            await run.PhaseAsync("check", async () => run.Add([await room.Proof.CompareAsync(subject, part, progress, cancellationToken)]));
        }
    }

    private void Tell(DrillRecord record)
    {
        if (record.Passed) LogPassed(record.Number, record.Set, record.Stack, record.RecoverySeconds);
        else LogFailed(record.Number, record.Set, record.Stack, record.Problem ?? string.Join("; ", record.Checks.Where(check => !check.Passed).Select(check => $"{check.Service}: {check.What}: {check.Detail}")));
    }

    [LoggerMessage(EventId = 5711, Level = LogLevel.Information, Message = "Drill {Drill}: the set {Set} of {Stack} was restored and is what it was; the application answered after {Seconds:0.0} s")]
    private partial void LogPassed(long drill, string set, string stack, double seconds);

    [LoggerMessage(EventId = 5712, Level = LogLevel.Error, Message = "Drill {Drill}: the set {Set} of {Stack} did not pass: {Problem}")]
    private partial void LogFailed(long drill, string set, string stack, string problem);

    /// <summary>One drill while it goes on.</summary>
    private sealed class Run(BackupSetRecord set, BackupManifest manifest, Release release, TimeProvider time)
    {
        private readonly DateTimeOffset _started = time.GetUtcNow();
        private readonly Dictionary<string, double> _phases = [];
        private readonly List<DrillCheck> _checks = [];
        private string? _problem;
        private string? _hint;

        public BackupSetRecord Set { get; } = set;

        public BackupManifest Manifest { get; } = manifest;

        public Release Release { get; } = release;

        public bool Failed => _problem is not null || _checks.Exists(check => !check.Passed);

        public void Add(IEnumerable<DrillCheck> checks) => _checks.AddRange(checks);

        public void Fail(string problem, string hint) => (_problem, _hint) = (problem, hint);

        public async Task PhaseAsync(string name, Func<Task> work)
        {
            var began = time.GetTimestamp();
            await work();
            _phases[name] = Math.Round(time.GetElapsedTime(began).TotalSeconds, 3);
        }

        public DrillRecord Record()
        {
            // Comparing is ours, not a part of a recovery.
            _phases["total"] = Math.Round(_phases.Where(phase => phase.Key is not ("files" or "check" or "indexes")).Sum(phase => phase.Value), 3);
            var failed = _checks.Find(check => !check.Passed);
            return new()
            {
                Number = 0,
                Stack = Set.Stack,
                Set = Set.Id.Value,
                StartedAt = _started,
                EndedAt = time.GetUtcNow(),
                Passed = !Failed,
                Checks = [.. _checks],
                Phases = _phases.ToImmutableSortedDictionary(StringComparer.Ordinal),
                Images = Release.Images.ToImmutableSortedDictionary(pair => pair.Key, pair => pair.Value.Pinned),
                Bytes = Manifest.StoredBytes,
                Problem = _problem ?? (failed is null ? null : $"{failed.Service}: {failed.What}: {failed.Detail}"),
                Hint = _hint ?? (failed is null ? null : "The set does not hold what was there. Take a new one at once, drill that, and look at the store and the host's memory."),
            };
        }
    }
}
