using System.Collections.Immutable;
using Orchestrator.Deployments;
using Orchestrator.Docker;
using Orchestrator.Planning;
using Orchestrator.Stacks;

namespace Orchestrator.Healing;

/// <summary>Pure: in what a stack differs from its release.</summary>
public static class DriftReader
{
    public static ImmutableArray<Drift> Read(StackPicture picture) =>
    [
        .. NetworksGone(picture),
        .. picture.Wanted.SelectMany(spec => OfService(picture, spec)),
        .. from seen in picture.Containers
           where seen.State != ContainerState.Removing && !Sweeper.Stays(picture.Release, picture.State, seen)
           select new Drift.Extra(seen),
    ];

    /// <summary>
    /// A service that ends when its work is done: one in place that keeps no data, offers nothing that others ask for, and is not started again by the
    /// engine's policy. Its exit with code 0 is no drift.
    /// </summary>
    public static bool IsJob(Stack stack, ServiceSpec spec) =>
        spec is { Coloured: false, Role: not ServiceRole.Stateful, Ports.IsEmpty: true, Container: { Restart.Name: "no" or "on-failure", Healthcheck: null or { Disabled: true } } }
        && stack.Services.All(other => other.DependsOn.All(dependency => dependency.Service != spec.Name || dependency.Condition == DependencyCondition.CompletedSuccessfully));

    /// <summary>The smallest numbers that no replica of the service has.</summary>
    public static IEnumerable<int> FreeSlots(IEnumerable<ObservedContainer> replicas)
    {
        var taken = replicas.Select(seen => seen.Replica).ToHashSet();
        for (var slot = 1; ; slot++)
        {
            if (!taken.Contains(slot)) yield return slot;
        }
    }

    private static IEnumerable<Drift> NetworksGone(StackPicture picture) =>
        from name in picture.LostNetworks.Order(StringComparer.Ordinal)
        select new Drift.MissingNetwork(name, picture.Release.Stack.Networks.Any(network => network.Name == name && network.External));

    private static IEnumerable<Drift> OfService(StackPicture picture, ServiceSpec spec)
    {
        var replicas = picture.Of(spec);
        var surplus = spec.Coloured ? SurplusOf(replicas, spec.Replicas) : [.. replicas.Where(seen => seen.Replica < 1 || seen.Replica > spec.Replicas)];
        var counted = replicas.RemoveRange(surplus);
        foreach (var lost in StackPicture.VolumesOf(picture.ReleaseOf(spec).Stack, spec).Where(picture.LostVolumes.Contains).Distinct()) yield return new Drift.MissingVolume(spec.Name, lost);
        foreach (var missing in MissingOf(picture, spec, replicas, counted)) yield return missing;
        foreach (var seen in counted)
            foreach (var drift in OfContainer(picture, spec, seen)) yield return drift;
        foreach (var seen in surplus) yield return new Drift.Surplus(spec.Name, seen.Replica, seen);
    }

    private static IEnumerable<Drift> MissingOf(StackPicture picture, ServiceSpec spec, ImmutableArray<ObservedContainer> replicas, ImmutableArray<ObservedContainer> counted)
    {
        var colour = picture.LiveOf(spec)?.Colour;
        var slots = spec.Coloured
            ? FreeSlots(replicas).Take(spec.Replicas - counted.Length)
            : Enumerable.Range(1, spec.Replicas).Where(slot => counted.All(seen => seen.Replica != slot));
        return slots.Select(slot => new Drift.Missing(spec.Name, slot, ContainerRequests.NameOf(picture.Release.Stack, spec, colour, slot)));
    }

    /// <summary>Of too many first those that do not run, then the oldest: what takes their place is newer.</summary>
    private static ImmutableArray<ObservedContainer> SurplusOf(ImmutableArray<ObservedContainer> replicas, int wanted) =>
    [
        .. replicas
            .OrderBy(seen => seen.State == ContainerState.Running)
            .ThenBy(seen => seen.StartedAt)
            .Take(Math.Max(0, replicas.Length - wanted)),
    ];

    private static IEnumerable<Drift> OfContainer(StackPicture picture, ServiceSpec spec, ObservedContainer seen)
    {
        switch (seen.State)
        {
            case ContainerState.Exited when seen.ExitCode == 0 && IsJob(picture.Release.Stack, spec):
                yield break;
            case ContainerState.Exited or ContainerState.Dead or ContainerState.Created:
                yield return new Drift.Stopped(spec.Name, seen.Replica, seen);
                yield break;
            case ContainerState.Restarting:
                yield return new Drift.Restarting(spec.Name, seen.Replica, seen);
                yield break;
            case ContainerState.Paused:
                yield return new Drift.Paused(spec.Name, seen.Replica, seen);
                yield break;
        }

        if (picture.Sick.TryGetValue(seen.Id, out var symptom)) yield return new Drift.Unhealthy(spec.Name, seen.Replica, seen, symptom);
        var release = picture.ReleaseOf(spec);
        if (release.Partial || release.Stack.Find(spec.Name) is not { } made) yield break;      // its labels are all that is known of it

        if (release.Images.GetValueOrDefault(spec.Name) is { } image)
        {
            if (image.Id != seen.ImageId) yield return new Drift.OtherImage(spec.Name, seen.Replica, seen, image.Id);
            else if (Planner.SpecOf(made, image.Pinned, release.Contents) != seen.Spec) yield return new Drift.OtherSettings(spec.Name, seen.Replica, seen);
        }

        foreach (var (network, isFixed) in NetworksFor(release.Stack, made))
        {
            if (!seen.Addresses.ContainsKey(network)) yield return new Drift.OffNetwork(spec.Name, seen.Replica, seen, network, isFixed);
        }
    }

    /// <summary>The networks that a serving container of the service is on.</summary>
    internal static IEnumerable<(string Name, bool Fixed)> NetworksFor(Stack stack, ServiceSpec spec)
    {
        var joined = from attachment in spec.Networks
                     let network = stack.Networks.FirstOrDefault(item => item.Key == attachment.Key)
                     where network is not null
                     select (network.Name, Fixed: !spec.Coloured && (attachment.Ipv4Address ?? attachment.Ipv6Address) is not null);
        var names = spec.Coloured ? ContainerRequests.OwnNames(stack, spec).Select(own => own.Network) : [];
        return joined.Concat(ContainerRequests.PeerNetworks(stack, spec).Concat(names).Select(name => (name, false))).DistinctBy(network => network.Item1);
    }
}
