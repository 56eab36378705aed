using System.Collections.Immutable;
using Orchestrator.Deployments;
using Orchestrator.Docker;
using Orchestrator.Planning;
using Orchestrator.Stacks;

namespace Orchestrator.Healing;

/// <summary>A stack at one moment: what its record says, and what the engine shows. Healing decides from it and from nothing else.</summary>
public sealed record StackPicture
{
    public required StackState State { get; init; }

    /// <summary>The current one, with the volumes that the stack has now.</summary>
    public required Release Release { get; init; }

    /// <summary>Number → release, also of those that a live generation is of; with the volumes that the stack has now.</summary>
    public ImmutableDictionary<int, Release> Releases { get; init; } = ImmutableDictionary<int, Release>.Empty;

    public ImmutableArray<ObservedContainer> Containers { get; init; } = [];

    /// <summary>Networks of the stack that are gone, by name. Only those that no running container is on were asked for.</summary>
    public ImmutableHashSet<string> LostNetworks { get; init; } = [];

    /// <summary>Volumes of the stack that are gone, by name. Only those of services with missing containers were asked for.</summary>
    public ImmutableHashSet<string> LostVolumes { get; init; } = [];

    /// <summary>Containers that run and are not well → what was seen.</summary>
    public ImmutableDictionary<ContainerId, string> Sick { get; init; } = ImmutableDictionary<ContainerId, string>.Empty;

    /// <summary>Bytes of memory of containers whose service has <c>recycle.memory</c>.</summary>
    public ImmutableDictionary<ContainerId, long> Memory { get; init; } = ImmutableDictionary<ContainerId, long>.Empty;

    /// <summary>Containers whose service is due by <c>recycle.at</c>.</summary>
    public ImmutableHashSet<ContainerId> Due { get; init; } = [];

    public string Stack => State.Stack;

    /// <summary>The generation of a coloured service that should run; null: none, or it is in place.</summary>
    public Generation? LiveOf(ServiceSpec spec) => spec.Coloured ? State.Live.GetValueOrDefault(spec.Name) : null;

    /// <summary>The release that the service's containers are made from.</summary>
    public Release ReleaseOf(ServiceSpec spec) => LiveOf(spec) is { } live && Releases.TryGetValue(live.Release, out var own) && own.Stack.Find(spec.Name) is not null ? own : Release;

    /// <summary>Containers of what the release wants of a service, those that are being removed left out.</summary>
    public ImmutableArray<ObservedContainer> Of(ServiceSpec spec)
    {
        var live = LiveOf(spec);
        return
        [
            .. Containers
                .Where(seen => seen.Service == spec.Name && seen is { IsOneShot: false, State: not ContainerState.Removing } && seen.Colour == live?.Colour && (live is null || seen.Release == live.Release))
                .OrderBy(seen => seen.Replica),
        ];
    }

    /// <summary>One of that number is just being removed: its name is not free yet.</summary>
    public bool IsLeaving(ServiceSpec spec, int replica) =>
        Containers.Any(seen => seen is { IsOneShot: false, State: ContainerState.Removing } && seen.Service == spec.Name && seen.Replica == replica && seen.Colour == LiveOf(spec)?.Colour);

    /// <summary>Services of which something should run.</summary>
    public IEnumerable<ServiceSpec> Wanted => Release.Stack.Services.Where(spec => spec.Replicas > 0 && (!spec.Coloured || LiveOf(spec) is not null));

    /// <summary>The volumes that a service mounts, by their names on the engine.</summary>
    public static IEnumerable<string> VolumesOf(Stack stack, ServiceSpec spec) =>
        from mount in spec.Container.Mounts
        where mount is { Kind: MountKind.Volume, Source: not null }
        select stack.Volumes.FirstOrDefault(volume => volume.Key == mount.Source)?.Name ?? mount.Source;
}
