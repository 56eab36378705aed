using System.Collections.Immutable;
using Microsoft.Extensions.Logging;
using Orchestrator.Backups;
using Orchestrator.Backups.Sets;
using Orchestrator.Deployments;

namespace Orchestrator.Restores;

/// <summary>
/// Brings a stack's data back: into new volumes, started and checked beside the running stack, and then put in the place of the present ones by a
/// deployment, which is undone like any other when the application does not pass its gate on them.
/// </summary>
public sealed partial class RestoreRunner(DrillRoom room, RestoreLedger ledger, RestoreSwap swap, BackupSubjects subjects, TimeProvider time, ILogger<RestoreRunner> logger)
{
    private static readonly TimeSpan Patience = TimeSpan.FromHours(4);
    private static readonly TimeSpan CleaningBudget = TimeSpan.FromMinutes(2);

    /// <summary>Lays the data out and proves it. Said in the stack's turn. Nothing that runs is touched.</summary>
    /// <param name="release">The release that is brought back with the data; null: the services stay.</param>
    /// <exception cref="BackupFailedException">It cannot be had whole; what was laid out is gone again.</exception>
    public async Task<RestoreRecord> PrepareAsync(RestoreChoice choice, int? release, string origin, OperationProgress progress, CancellationToken cancellationToken)
    {
        var stack = choice.Set.Stack;
        var data = await subjects.OfAsync(stack, cancellationToken)
            ?? throw new BackupFailedException($"{stack} does not run, so there is nothing to put its data into", "Recover it with its configuration: basmalin recover.");
        var target = release is { } number ? await swap.ReleaseAsync(stack, number, data.State, cancellationToken) : data.Release;
        var volumes = target.Stack.Volumes.Where(volume => RestoredData.VolumesOf(target.Stack, choice.Manifest).Contains(volume.Key)).ToList();
        var record = await ledger.AddAsync(new()
        {
            Stack = stack,
            State = RestoreState.Preparing,
            Set = choice.Set.Id.Value,
            Point = choice.Words,
            Origin = origin,
            CreatedAt = time.GetUtcNow(),
            Old = volumes.ToImmutableSortedDictionary(volume => volume.Key, volume => volume.Name),
            Release = release,
            FromRelease = data.State.CurrentRelease,
        }, cancellationToken);
        record = record with { New = volumes.ToImmutableSortedDictionary(volume => volume.Key, volume => VolumeNames.StandInFor(VolumeNames.Declared(volume, data.State.Volumes), record.Id)) };
        await ledger.SaveAsync(record, cancellationToken);
        progress.Result($"{record.Id}");
        LogBegun(record.Id, stack, choice.Words, origin);
        try
        {
            return await ProveAsync(record, choice, target, progress, cancellationToken);
        }
        catch (Exception failure)
        {
            await AbandonAsync(record, failure.Message, (failure as BackupFailedException)?.Hint);
            throw;
        }
    }

    /// <summary>What was laid out for a restore that came to nothing goes; what ran, runs.</summary>
    public async Task AbandonAsync(RestoreRecord record, string problem, string? hint)
    {
        using var budget = new CancellationTokenSource(CleaningBudget, time);
        LogFailed(record.Id, record.Stack, problem);
        await ledger.SaveAsync(record with { State = RestoreState.Failed, EndedAt = time.GetUtcNow(), Problem = problem, Hint = hint ?? "Nothing of the stack was changed." }, budget.Token);
        foreach (var volume in record.New.Values)
        {
            if (!await room.Engine.RemoveVolumeAsync(volume, budget.Token)) LogKept(volume, record.Id);
        }
    }

    private async Task<RestoreRecord> ProveAsync(RestoreRecord record, RestoreChoice choice, Release target, OperationProgress progress, CancellationToken cancellationToken)
    {
        var name = Shadow.NameOf(record.Stack, "restore", record.Id);
        var services = RestoredData.DataOf(choice.Manifest).Select(part => part.Service).Where(service => target.Stack.Find(service) is { Coloured: false }).ToImmutableHashSet();
        var shadow = Shadow.Of(target, name, services, record.New, Patience);
        var phases = ImmutableSortedDictionary.CreateBuilder<string, double>(StringComparer.Ordinal);
        try
        {
            await room.Shadows.PrepareNetworksAsync(shadow, cancellationToken);
            var began = time.GetTimestamp();
            var moments = await room.Data.LayAsync(target, choice.Manifest, choice.Point, record.New, record.Stack, new(room.Vault.Reader(record.Stack), progress), cancellationToken);
            phases["fetch"] = Seconds(began);
            foreach (var moment in moments) LogElsewhere(record.Id, record.Stack, moment.Detail);
            began = time.GetTimestamp();
            var running = await room.Proof.StartAsync(shadow, choice.Manifest, progress, cancellationToken);
            phases["start"] = Seconds(began);
            began = time.GetTimestamp();
            var files = DataProof.FilesOf(shadow, choice.Manifest, await room.DirectoriesAsync(record.New, cancellationToken));
            var checks = await room.Proof.CompareAsync(running.AddRange(files), choice.Manifest, choice.Exact, progress, cancellationToken);
            phases["check"] = Seconds(began);
            if (checks.FirstOrDefault(check => !check.Passed) is { } wrong)
                throw new BackupFailedException($"{wrong.Service}: the restored data is not what was backed up: {wrong.Detail}", "Nothing of the stack was changed. Take another set.");

            progress.Say("the restored data is what it should be; stopping it for the exchange");
            foreach (var spec in shadow.Release.Stack.Services) await room.Shadows.StopAsync(shadow, spec, cancellationToken);
            record = record with { State = RestoreState.Swapping, Checks = [.. moments, .. checks], Phases = phases.ToImmutable() };
            await ledger.SaveAsync(record, cancellationToken);
            return record;
        }
        finally
        {
            using var budget = new CancellationTokenSource(CleaningBudget, time);
            await room.Shadows.RemoveAsync(name, budget.Token);
        }
    }

    private double Seconds(long since) => Math.Round(time.GetElapsedTime(since).TotalSeconds, 3);

    [LoggerMessage(EventId = 5721, Level = LogLevel.Information, Message = "Restore {Restore} of {Stack} to {Point} begins, asked by {Origin}")]
    private partial void LogBegun(long restore, string stack, string point, string origin);

    [LoggerMessage(EventId = 5722, Level = LogLevel.Error, Message = "Restore {Restore} of {Stack} came to nothing, and nothing was changed: {Problem}")]
    private partial void LogFailed(long restore, string stack, string problem);

    [LoggerMessage(EventId = 5724, Level = LogLevel.Warning, Message = "Restore {Restore} of {Stack}: {What}")]
    private partial void LogElsewhere(long restore, string stack, string what);

    [LoggerMessage(EventId = 5723, Level = LogLevel.Warning, Message = "The volume {Volume} of restore {Restore} could not be removed: a container uses it")]
    private partial void LogKept(string volume, long restore);
}
