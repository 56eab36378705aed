using System.Collections.Immutable;
using Orchestrator.Backups;
using Orchestrator.Backups.Pipeline;
using Orchestrator.Backups.Sets;
using Orchestrator.Deployments;
using Orchestrator.Docker;
using Orchestrator.Stacks;

namespace Orchestrator.Restores;

/// <summary>Lays a set into new volumes. It never writes into one that was there before.</summary>
public sealed class RestoredData(IContainerEngine engine, BackupSources sources)
{
    /// <summary>The parts of a set that become volumes again: not the configuration, and not a second format.</summary>
    public static IEnumerable<BackupPart> DataOf(BackupManifest manifest) => manifest.Parts.Where(part => part.Kind is "postgres" or "redis" or "volume");

    /// <summary>Keys of the volumes that hold the data of the set's services.</summary>
    /// <exception cref="BackupFailedException">A service is not in the stack any more, or its data lies in no named volume.</exception>
    public static ImmutableArray<string> VolumesOf(Stack stack, BackupManifest manifest)
    {
        var keys = ImmutableSortedSet.CreateBuilder<string>(StringComparer.Ordinal);
        foreach (var part in DataOf(manifest))
        {
            var named = MountsOf(Find(stack, part)).Select(mount => mount.Source ?? "").ToList();
            if (named.Count == 0)
            {
                throw new BackupFailedException(
                    $"The data of {part.Service} lies in no named volume, so nothing can take its place",
                    $"Give the service a named volume in the Compose file and apply it; what is in its present container's own volume is in the set.");
            }

            keys.UnionWith(named);
        }

        return [.. keys];
    }

    /// <param name="volumes">Key → new volume of the engine.</param>
    /// <param name="owner">The stack whose label the volumes get.</param>
    /// <returns>Of services that went to another moment than the one that was asked for: to which, and why.</returns>
    public async Task<ImmutableArray<DrillCheck>> LayAsync(
        Release release, BackupManifest manifest, RestorePoint point, ImmutableSortedDictionary<string, string> volumes, string owner, DataReader from, CancellationToken cancellationToken)
    {
        var labels = ImmutableSortedDictionary<string, string>.Empty.Add(Labels.Stack, owner);
        foreach (var (key, name) in volumes)
        {
            if (await engine.FindVolumeDirectoryAsync(name, cancellationToken) is not null && release.Stack.Volumes.Any(volume => volume.Name == name))
                throw new InvalidOperationException($"{name} is the stack's own volume: a restore goes into new ones only.");
            await engine.EnsureVolumeAsync(new(new VolumeSpec { Key = key, Name = name }, labels), cancellationToken);
        }

        var elsewhere = ImmutableArray.CreateBuilder<DrillCheck>();
        foreach (var part in DataOf(manifest))
        {
            var spec = Find(release.Stack, part);
            var what = $"{part.Service}: fetching and laying out";
            var bytes = part.Objects.Sum(item => item.PlainBytes);
            from.Progress.Say(what);
            var target = await TargetAsync(release, spec, volumes, point, cancellationToken);
            target = target with { Say = words => elsewhere.Add(new(part.Service, "moment", Passed: true, words)) };
            await sources.Of(part.Kind).RestoreAsync(part, target, from.Reader.Telling(read => from.Progress.Report(what, read, Math.Max(bytes, read))), cancellationToken);
        }

        foreach (var moment in elsewhere) from.Progress.Say(moment.Detail);
        return elsewhere.ToImmutable();
    }

    /// <summary>Where the parts of a set were laid out.</summary>
    /// <param name="owner">As it was given to <see cref="LayAsync"/>.</param>
    public async Task<ImmutableArray<(BackupPart Part, RestoreTarget Target)>> TargetsAsync(
        Release release, BackupManifest manifest, ImmutableSortedDictionary<string, string> volumes, string owner, CancellationToken cancellationToken)
    {
        var targets = ImmutableArray.CreateBuilder<(BackupPart, RestoreTarget)>();
        foreach (var part in DataOf(manifest))
            targets.Add((part, (await TargetAsync(release, Find(release.Stack, part), volumes, new RestorePoint.OfSet(), cancellationToken)) with { Stack = owner }));
        return targets.ToImmutable();
    }

    private async Task<RestoreTarget> TargetAsync(Release release, ServiceSpec spec, ImmutableSortedDictionary<string, string> volumes, RestorePoint point, CancellationToken cancellationToken)
    {
        var directories = ImmutableSortedDictionary.CreateBuilder<string, string>(StringComparer.Ordinal);
        foreach (var mount in MountsOf(spec))
        {
            var name = volumes[mount.Source ?? ""];
            if (await engine.FindVolumeDirectoryAsync(name, cancellationToken) is not { } directory || !Directory.Exists(directory))
            {
                throw new BackupFailedException(
                    $"The directory of the new volume {name} cannot be seen on this host", "The daemon must run on the engine's host, and as root, to lay data into volumes.");
            }

            directories[mount.Target] = directory;
        }

        return new() { Stack = release.Stack.Name, Service = spec, Image = release.Images[spec.Name].Pinned, Directories = directories.ToImmutable(), Point = PointOf(spec, point) };
    }

    /// <summary>Without a continuous stream there is the set's moment only.</summary>
    private static RestorePoint PointOf(ServiceSpec spec, RestorePoint point) => IsStreamed(spec) ? point : new RestorePoint.OfSet();

    /// <summary>What was received can be replayed on the part: it says where in the stream it stands.</summary>
    public static bool IsContinued(BackupPart part) => part.Facts.ContainsKey(BackupFacts.StreamFrom);

    /// <summary>Every moment of the service can be restored, not only those of sets.</summary>
    public static bool IsStreamed(ServiceSpec spec) => spec.BasMalin?.Backup is { Wal: true } or { Stream: true };

    private static IEnumerable<MountSpec> MountsOf(ServiceSpec spec) => spec.Container.Mounts.Where(mount => mount is { Kind: MountKind.Volume, Source: not null });

    private static ServiceSpec Find(Stack stack, BackupPart part) => stack.Find(part.Service) ?? throw new BackupFailedException(
        $"The set has data of {part.Service}, and the stack {stack.Name} has no such service", "Roll back to the release that had it, together with its data: basmalin rollback STACK --with-data.");
}

/// <summary>Where data comes from, and who is told how far it is.</summary>
public sealed record DataReader(BackupReader Reader, OperationProgress Progress);
