using System.Collections.Immutable;
using System.Globalization;
using Microsoft.Extensions.Logging;
using Orchestrator.Backups;
using Orchestrator.Backups.Sets;
using Orchestrator.Deployments;
using Orchestrator.Docker;
using Orchestrator.Journal;
using Orchestrator.Planning;

namespace Orchestrator.Restores;

/// <summary>Puts restored volumes in the place of the present ones, and back; keeps the old ones for a while.</summary>
public sealed partial class RestoreSwap(DeploymentService deployments, IJournal journal, RestoreLedger ledger, IContainerEngine engine, TimeProvider time, ILogger<RestoreSwap> logger)
{
    /// <summary>How long the volumes that were replaced are kept.</summary>
    public static readonly TimeSpan KeptFor = TimeSpan.FromHours(24);

    /// <summary>A release that was committed, with the volumes that the stack has now.</summary>
    public async Task<Release> ReleaseAsync(string stack, int number, StackState state, CancellationToken cancellationToken) =>
        await journal.FindReleaseAsync(stack, number, cancellationToken) is { Committed: true } release
            ? VolumeNames.Over(release, state.Volumes)
            : throw new BackupFailedException($"Release {number} of {stack} was never committed, or is no longer kept", $"'basmalin history {stack}' lists the releases.");

    /// <summary>The deployment that exchanges the volumes; the same restore asked twice is one deployment.</summary>
    /// <returns>The record, done.</returns>
    /// <exception cref="BackupFailedException">The deployment did not succeed: the old volumes are in their place.</exception>
    public async Task<RestoreRecord> ExchangeAsync(RestoreRecord record, OperationProgress progress, CancellationToken cancellationToken)
    {
        progress.LeaveTurn();
        progress.Say("exchanging the volumes in a deployment; requests wait meanwhile");
        var ended = await DeployAsync(record, record.New, record.Release, $"restore:{record.Id}", progress, cancellationToken);
        if (ended.State != DeploymentState.Succeeded) throw Failed(ended);

        var done = record with { State = RestoreState.Done, Deployment = ended.Id.Value, EndedAt = time.GetUtcNow(), KeptUntil = time.GetUtcNow() + KeptFor };
        await ledger.SaveAsync(done, CancellationToken.None);
        LogDone(done.Id, done.Stack, done.Point, ended.Id);
        return done;
    }

    /// <summary>Brings a stack up on volumes that hold its data already.</summary>
    /// <exception cref="BackupFailedException">The deployment did not succeed; the volumes are kept, and it can be tried again.</exception>
    public async Task<RestoreRecord> BringUpAsync(RestoreRecord record, Release release, OperationProgress progress, CancellationToken cancellationToken)
    {
        progress.LeaveTurn();
        progress.Say("starting the services on the data that was laid out");
        var request = new DeploymentRequest
        {
            Stack = record.Stack,
            Kind = DeploymentKind.Apply,
            File = release.Stack,
            Images = release.Images.Where(image => image.Value.Digest is not null).ToImmutableSortedDictionary(image => image.Key, image => image.Value.Digest ?? ""),
            Volumes = record.New,
            Version = release.Version,
            Commit = release.Commit,
            Force = true,
            Origin = record.Origin,
        };
        var swapping = record with { State = RestoreState.Swapping };
        await ledger.SaveAsync(swapping, cancellationToken);
        var ended = await WaitAsync(await deployments.SubmitAsync(request, $"restore:{record.Id}", cancellationToken), progress, cancellationToken);
        if (ended.State != DeploymentState.Succeeded)
        {
            await ledger.SaveAsync(swapping with { State = RestoreState.Failed, EndedAt = time.GetUtcNow(), Problem = ended.Failure?.Detail }, CancellationToken.None);
            throw Failed(ended);
        }

        var done = swapping with { State = RestoreState.Closed, Deployment = ended.Id.Value, EndedAt = time.GetUtcNow() };
        await ledger.SaveAsync(done, CancellationToken.None);
        LogDone(done.Id, done.Stack, done.Point, ended.Id);
        return done;
    }

    /// <summary>Puts the volumes that a restore replaced in their place again, with the release that ran on them.</summary>
    public async Task<RestoreRecord> UndoAsync(RestoreRecord record, OperationProgress progress, CancellationToken cancellationToken)
    {
        if (record.State != RestoreState.Done)
            throw new BackupFailedException($"Restore {record.Id} is {record.State.ToString().ToLowerInvariant()}, so there is nothing to undo", "'basmalin restore list' shows those that can be undone.");
        foreach (var volume in record.Old.Values)
        {
            if (await engine.FindVolumeDirectoryAsync(volume, cancellationToken) is null)
                throw new BackupFailedException($"The volume {volume} that restore {record.Id} replaced is gone", "Restore from a set instead.");
        }

        progress.LeaveTurn();
        progress.Say("putting the volumes from before the restore in their place");
        var ended = await DeployAsync(record, record.Old, record.Release is null ? null : record.FromRelease, $"restore:{record.Id}:undo", progress, cancellationToken);
        if (ended.State != DeploymentState.Succeeded) throw Failed(ended);

        var undone = record with { State = RestoreState.Undone, KeptUntil = time.GetUtcNow() + KeptFor };
        await ledger.SaveAsync(undone, CancellationToken.None);
        LogUndone(record.Id, record.Stack, ended.Id);
        return undone;
    }

    /// <summary>Removes volumes whose time is over. One that is in use stays.</summary>
    public async Task SweepAsync(CancellationToken cancellationToken)
    {
        foreach (var record in (await ledger.OpenAsync(cancellationToken)).Where(record => record.KeptUntil <= time.GetUtcNow()))
        {
            var inPlace = (await journal.FindStackAsync(record.Stack, cancellationToken))?.Volumes.Values.Select(standIn => standIn.Name).ToHashSet() ?? [];
            var surplus = (record.State == RestoreState.Done ? record.Old : record.New).Values.Where(volume => !inPlace.Contains(volume)).ToList();
            var gone = true;
            foreach (var volume in surplus) gone &= await engine.RemoveVolumeAsync(volume, cancellationToken);
            if (!gone) continue;

            await ledger.SaveAsync(record with { State = RestoreState.Closed }, cancellationToken);
            var removed = string.Join(", ", surplus);
            LogClosed(record.Id, record.Stack, removed);
        }
    }

    private async Task<Deployment> DeployAsync(
        RestoreRecord record, ImmutableSortedDictionary<string, string> volumes, int? release, string key, OperationProgress progress, CancellationToken cancellationToken)
    {
        var request = new DeploymentRequest
        {
            Stack = record.Stack,
            Kind = release is null ? DeploymentKind.Restore : DeploymentKind.Rollback,
            ToRelease = release,
            Volumes = volumes,
            Force = true,                                       // the application begins anew on other data, whatever it has in its memory
            Origin = record.Origin,
        };
        return await WaitAsync(await deployments.SubmitAsync(request, key, cancellationToken), progress, cancellationToken);
    }

    private async Task<Deployment> WaitAsync(Admission admitted, OperationProgress progress, CancellationToken cancellationToken)
    {
        var last = admitted.Deployment;
        await foreach (var happened in deployments.WatchAsync(last.Id, cancellationToken))
        {
            last = happened.Deployment;
            if (happened.Message is { } message) progress.Say(string.Create(CultureInfo.InvariantCulture, $"deployment {last.Id}, {happened.Step}: {message}"));
        }

        return last;
    }

    private static BackupFailedException Failed(Deployment ended) => new(
        $"Deployment {ended.Id}, which was to exchange the volumes, is {ended.State.ToString().ToLowerInvariant()}: {ended.Failure?.Detail ?? "a newer request took its place"}",
        ended.Failure?.Hint ?? "The volumes from before are in their place.");

    [LoggerMessage(EventId = 5731, Level = LogLevel.Information, Message = "Restore {Restore}: the data of {Stack} is that of {Point}, since deployment {Deployment}")]
    private partial void LogDone(long restore, string stack, string point, DeploymentId deployment);

    [LoggerMessage(EventId = 5732, Level = LogLevel.Information, Message = "Restore {Restore} of {Stack} was undone by deployment {Deployment}")]
    private partial void LogUndone(long restore, string stack, DeploymentId deployment);

    [LoggerMessage(EventId = 5733, Level = LogLevel.Information, Message = "Restore {Restore} of {Stack} can no longer be undone: {Volumes} removed")]
    private partial void LogClosed(long restore, string stack, string volumes);
}
