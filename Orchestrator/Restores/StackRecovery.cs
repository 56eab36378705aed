using System.Collections.Immutable;
using Orchestrator.Backups;
using Orchestrator.Backups.Configuration;
using Orchestrator.Backups.Encryption;
using Orchestrator.Backups.Keeping;
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

    /// <summary>Names of the stacks that any store has sets of.</summary>
    public async Task<ImmutableArray<string>> StacksAsync(CancellationToken cancellationToken)
    {
        var found = new SortedSet<string>(StringComparer.Ordinal);
        foreach (var store in room.Vault.Options.Stores) found.UnionWith(await SetCatalogue.StacksInAsync(store, cancellationToken));
        return [.. found];
    }

    /// <summary>Said in the stack's turn.</summary>
    /// <param name="keys">Private keys that can read the sets; kept in memory only.</param>
    /// <returns>The number of the restore.</returns>
    /// <exception cref="BackupFailedException">The stack is here already, or there is no set that can be read.</exception>
    public async Task<string> RunAsync(string stack, ImmutableArray<AgeIdentity> keys, string origin, OperationProgress progress, CancellationToken cancellationToken)
    {
        await RefusePresentAsync(stack, cancellationToken);
        progress.Say("asking the stores what they have");
        var set = await AdoptAsync(stack, cancellationToken);
        var manifest = set.Manifest ?? throw new InvalidOperationException("A set that was adopted has a manifest.");
        var reader = room.Vault.Repository(stack).Reader(keys);
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
            Point = $"a recovery from the set {set.Id}",
            Origin = origin,
            CreatedAt = manifest.CreatedAt,
        }, cancellationToken);
        restore = restore with { New = volumes.ToImmutableSortedDictionary(volume => volume.Key, volume => VolumeNames.StandInFor(volume.Name, restore.Id)) };
        await ledger.SaveAsync(restore, cancellationToken);
        await room.Data.LayAsync(release, manifest, new RestorePoint.Latest(), restore.New, stack, new(reader, progress), cancellationToken);
        return $"{(await swap.BringUpAsync(restore, release, progress, cancellationToken)).Id}";
    }

    private async Task RefusePresentAsync(string stack, CancellationToken cancellationToken)
    {
        if (await journal.FindStackAsync(stack, cancellationToken) is { CurrentRelease: > 0 } state
            && await journal.FindReleaseAsync(stack, state.CurrentRelease, cancellationToken) is { Stack.Services.IsEmpty: false })
            throw new BackupFailedException($"{stack} is here already", $"To bring its data back: basmalin restore {stack} --to MOMENT. To recover it anew, remove it first: basmalin remove {stack}.");
    }

    /// <summary>Writes down every set that the stores have, and gives the newest that can be restored.</summary>
    private async Task<BackupSetRecord> AdoptAsync(string stack, CancellationToken cancellationToken)
    {
        var catalogue = await room.Vault.CatalogueAsync(stack, cancellationToken);
        foreach (var kept in catalogue.Sets)
            await sets.AdoptAsync(kept.Manifest, kept.Manifest.Id.Sequence, kept.Stores.ToImmutableSortedDictionary(store => store, _ => BackupSetRecord.Whole), cancellationToken);

        return (await sets.StandingAsync(stack, cancellationToken)).FirstOrDefault(set => !set.IsDump) ?? throw new BackupFailedException(
            $"No store has a set of {stack}{(catalogue.Failures.IsEmpty ? "" : $": {catalogue.Failures[0].Store}: {catalogue.Failures[0].Message}")}", "Are the stores of agent.yml those that the backups went to?");
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
