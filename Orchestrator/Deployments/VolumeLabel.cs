using System.Collections.Immutable;
using Orchestrator.Docker;
using Orchestrator.Planning;
using Orchestrator.Stacks;

namespace Orchestrator.Deployments;

/// <summary>
/// Which volumes have taken the place of declared ones, as a label of the containers that mount them: should the journal be lost, a restored database is not
/// started on the volume from before.
/// </summary>
public static class VolumeLabel
{
    /// <returns>Null when the service has its declared volumes.</returns>
    public static string? Write(Release release, ServiceSpec spec)
    {
        var mounted = spec.Container.Mounts.Where(mount => mount is { Kind: MountKind.Volume, Source: not null }).Select(mount => mount.Source).ToHashSet();
        var moved = release.Stack.Volumes.Where(volume => mounted.Contains(volume.Key) && release.Contents.GetValueOrDefault(Planner.VolumeContent(volume.Key)) == volume.Name && VolumeNames.Unveiled(volume.Name) != volume.Name)
            .Select(volume => $"{volume.Key}={volume.Name}").Order(StringComparer.Ordinal).ToList();
        return moved.Count == 0 ? null : string.Join(',', moved);
    }

    /// <summary>What the containers of a stack tell; of several releases the newest.</summary>
    public static ImmutableSortedDictionary<string, VolumeStandIn> Read(IEnumerable<ObservedContainer> containers)
    {
        var found = ImmutableSortedDictionary.CreateBuilder<string, VolumeStandIn>(StringComparer.Ordinal);
        foreach (var container in containers.OrderBy(container => container.Release))
        {
            foreach (var pair in container.Labels.GetValueOrDefault(Labels.Volumes, "").Split(',', StringSplitOptions.RemoveEmptyEntries))
            {
                if (pair.Split('=') is [var key, var name]) found[key] = new(name, VolumeNames.Unveiled(name));
            }
        }

        return found.ToImmutable();
    }
}
