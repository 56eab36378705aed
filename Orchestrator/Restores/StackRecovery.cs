using System.Collections.Immutable;
using Orchestrator.Backups;
using Orchestrator.Backups.Configuration;
using Orchestrator.Backups.Encryption;
using Orchestrator.Backups.Keeping;
using Orchestrator.Backups.Pipeline;
using Orchestrator.Backups.Sets;
using Orchestrator.Deployments;
using Orchestrator.Journal;
using Orchestrator.Journal.Sqlite;
using Orchestrator.Planning;
using Orchestrator.Secrets;

namespace Orchestrator.Restores;

/// <summary>Brings a stack up on a machine that knows nothing of it, from a store and a private key: secrets, volumes, services, in one deployment.</summary>
public sealed class StackRecovery(DrillRoom room, SetLedger sets, RestoreLedger ledger, SecretStore secrets, RestoreSwap swap, IJournal journal)
{
    private static readonly ImmutableSortedDictionary<string, VolumeStandIn> None = ImmutableSortedDictionary<string, VolumeStandIn>.Empty;

    /// <summary>Names of the stacks that there are sets of.</summary>
    /// <param name="from">The store that is asked; null: all.</param>
    /// <exception cref="BackupFailedException">There is no such store.</exception>
    /// <exception cref="BackupStoreException">One cannot be asked.</exception>
    public async Task<ImmutableArray<string>> StacksAsync(string? from, CancellationToken cancellationToken)
    {
        var found = new SortedSet<string>(StringComparer.Ordinal);
        foreach (var store in room.Vault.Repository("", from).Stores) found.UnionWith(await SetCatalogue.StacksInAsync(store, cancellationToken));
        return [.. found];
    }

    /// <summary>Said in the stack's turn.</summary>
    /// <returns>The number of the restore.</returns>
    /// <exception cref="BackupFailedException">The stack is here already, or there is no set that can be read.</exception>
    public async Task<string> RunAsync(RecoveryOrder order, OperationProgress progress, CancellationToken cancellationToken)
    {
        var stack = order.Stack;
        await RefusePresentAsync(stack, cancellationToken);
        progress.Say("asking the stores what they have");
        var repository = room.Vault.Repository(stack, order.From);
        var choice = RestoreChoice.Find(stack, order.To, await AdoptAsync(repository, cancellationToken));
        var (set, manifest) = (choice.Set, choice.Manifest);
        var reader = repository.Reader(order.Keys);
        progress.Say("reading what the stack is");
        var content = await ConfigurationSource.ReadAsync(ConfigurationOf(manifest), reader, cancellationToken);
        var record = StackExport.Read(content.Record);
        var written = record.Releases.FirstOrDefault(release => release.Number == record.Current) ?? throw new BackupFailedException($"The set {set.Id} knows no release of {stack}", "Choose another store.");
        var release = Declared(written, record.State);
        await secrets.ImportAsync(stack, content.Secrets, cancellationToken);
        LayFiles(content, progress);

        var volumes = release.Stack.Volumes.Where(volume => RestoredData.VolumesOf(release.Stack, manifest).Contains(volume.Key)).ToList();
        var restore = await ledger.AddAsync(new()
        {
            Stack = stack,
            State = RestoreState.Preparing,
            Set = set.Id.Value,
            Point = $"a recovery to {choice.Words}",
            Origin = order.Origin,
            CreatedAt = manifest.CreatedAt,
        }, cancellationToken);
        restore = restore with { New = volumes.ToImmutableSortedDictionary(volume => volume.Key, volume => VolumeNames.StandInFor(volume.Name, restore.Id)) };
        await ledger.SaveAsync(restore, cancellationToken);
        var moments = await room.Data.LayAsync(release, manifest, choice.Point, restore.New, stack, new(reader, progress), cancellationToken);
        return $"{(await swap.BringUpAsync(restore with { Checks = moments }, release, progress, cancellationToken)).Id}";
    }

    private async Task RefusePresentAsync(string stack, CancellationToken cancellationToken)
    {
        if (await journal.FindStackAsync(stack, cancellationToken) is { CurrentRelease: > 0 } state
            && await journal.FindReleaseAsync(stack, state.CurrentRelease, cancellationToken) is { Stack.Services.IsEmpty: false })
            throw new BackupFailedException($"{stack} is here already", $"To bring its data back: basmalin restore {stack} --to MOMENT. To recover it anew, remove it first: basmalin remove {stack}.");
    }

    /// <summary>Writes down every set that is there.</summary>
    /// <returns>Those that can be restored, newest first.</returns>
    private async Task<ImmutableArray<BackupSetRecord>> AdoptAsync(BackupRepository repository, CancellationToken cancellationToken)
    {
        var catalogue = await new SetKeeper(repository).ListAsync(cancellationToken);
        foreach (var kept in catalogue.Sets)
            await sets.AdoptAsync(kept.Manifest, kept.Manifest.Id.Sequence, kept.Stores.ToImmutableSortedDictionary(store => store, _ => BackupSetRecord.Whole), cancellationToken);

        var there = catalogue.Sets.Select(kept => kept.Manifest.Id).ToHashSet();
        var standing = (await sets.StandingAsync(repository.Stack, cancellationToken)).RemoveAll(set => !there.Contains(set.Id));
        return standing.Any(set => !set.IsDump) ? standing : throw new BackupFailedException(
            $"No store has a set of {repository.Stack}{(catalogue.Failures.IsEmpty ? "" : $": {catalogue.Failures[0].Store}: {catalogue.Failures[0].Message}")}", "Are the stores of agent.yml those that the backups went to?");
    }

    private static BackupPart ConfigurationOf(BackupManifest manifest) => manifest.Parts.FirstOrDefault(part => part.Kind == "configuration") ?? throw new BackupFailedException(
        $"The set {manifest.Id} has no configuration", $"Apply the stack's file, and then restore its data: basmalin restore {manifest.Stack} --to {manifest.Id}.");

    /// <summary>With the names that its file gives the volumes, whatever had taken their place on the machine that is gone.</summary>
    private static Release Declared(Release release, StackState? state) => release with
    {
        Stack = release.Stack with { Volumes = [.. release.Stack.Volumes.Select(volume => volume with { Name = VolumeNames.Declared(volume, state?.Volumes ?? None) })] },
        Contents = release.Contents.RemoveRange(release.Stack.Volumes.Select(volume => Planner.VolumeContent(volume.Key))),
    };

    /// <summary>Files of the host that the stack mounts. What is there already is left as it is.</summary>
    private static void LayFiles(ConfigurationContent content, OperationProgress progress)
    {
        foreach (var file in content.Files.Where(file => !File.Exists(file.Path)))
        {
            progress.Say($"laying down {file.Path}");
            if (Path.GetDirectoryName(file.Path) is { } directory) Directory.CreateDirectory(directory);
            using var target = new FileStream(file.Path, new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = file.Mode });
            target.Write(file.Content.AsSpan());
        }
    }
}

/// <summary>What is to be brought up on an empty machine, from where, and to which moment.</summary>
/// <param name="Keys">Private keys that can read the sets; kept in memory only.</param>
/// <param name="Origin">Who asked.</param>
public sealed record RecoveryOrder(string Stack, ImmutableArray<AgeIdentity> Keys, string Origin)
{
    /// <summary>The only store that is read; null: all.</summary>
    public string? From { get; init; }

    /// <summary>See <see cref="RestoreChoice.Expected"/>.</summary>
    public string To { get; init; } = "latest";
}
