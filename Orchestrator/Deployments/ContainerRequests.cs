using System.Collections.Immutable;
using System.Globalization;
using Orchestrator.Docker;
using Orchestrator.Planning;
using Orchestrator.Stacks;

namespace Orchestrator.Deployments;

/// <summary>Pure: what the container of a service is called and made of.</summary>
public static class ContainerRequests
{
    /// <summary>
    /// The network on which peers find a coloured service under its Compose name. Aliases belong to an attachment, so each coloured service
    /// has a network of its own for its name: a colour joins it at the shift and leaves it after the drain, and no connection that it made
    /// through the other networks is touched.
    /// </summary>
    public static string NamesNetwork(NetworkSpec network, string service) => $"{network.Name}.{service}";

    public static string NameOf(Stack stack, ServiceSpec spec, Colour? colour, int replica)
    {
        var stem = spec.Container.ContainerName ?? $"{stack.Name}-{spec.Name}";
        return (colour, spec) switch
        {
            ({ } side, _) => $"{stem}-{side.Word()}-{replica}",
            (null, { Replicas: <= 1, Container.ContainerName: not null }) => stem,
            _ => $"{stem}-{replica}",
        };
    }

    public static ContainerRequest For(ServiceSpec spec, Placement place, ImmutableArray<MountSpec> files)
    {
        var stack = place.Release.Stack;
        var image = place.Release.Images[spec.Name].Pinned;
        return new()
        {
            Name = NameOf(stack, spec, place.Colour, place.Replica),
            Image = image,
            Settings = spec.Container,
            Labels = spec.Container.Labels.SetItems(LabelsOf(spec, place, image)),
            Ports = spec.Coloured ? [] : spec.Ports,
            Expose = spec.Expose,
            Networks = [.. Joins(stack, spec)],
            Mounts = [.. spec.Container.Mounts.Select(mount => Named(stack, mount)), .. files],
            Platform = spec.Platform,
        };
    }

    /// <summary>A one-shot container of the new image on the same networks, with the same environment and volumes.</summary>
    public static ContainerRequest Migration(ServiceSpec spec, Placement place, ImmutableArray<MountSpec> files, ImmutableArray<string> command)
    {
        var request = For(spec, place, files);
        return request with
        {
            Name = MigrationName(place.Release.Stack, spec, place.Deployment),
            Labels = request.Labels.SetItem(Labels.Kind, "migration"),
            CommandOverride = command,
            Settings = spec.Container with { Restart = new("no", 0), Healthcheck = new() { Disabled = true } },
            Ports = [],
        };
    }

    public static string MigrationName(Stack stack, ServiceSpec spec, DeploymentId deployment) => $"{stack.Name}-{spec.Name}-migrate-{deployment}";

    /// <summary>Names networks that a service's containers join so as to find its coloured peers.</summary>
    public static IEnumerable<string> PeerNetworks(Stack stack, ServiceSpec spec) =>
        from network in NetworksOf(stack, spec)
        from peer in stack.Services
        where peer.Coloured && peer.Name != spec.Name && peer.Networks.Any(attachment => attachment.Key == network.Key)
        select NamesNetwork(network, peer.Name);

    /// <summary>Where a coloured service has its name, and the names that it has there.</summary>
    public static IEnumerable<(string Network, ImmutableArray<string> Aliases)> OwnNames(Stack stack, ServiceSpec spec) =>
        from network in NetworksOf(stack, spec)
        let attachment = spec.Networks.First(item => item.Key == network.Key)
        select (NamesNetwork(network, spec.Name), (ImmutableArray<string>)[spec.Name, .. attachment.Aliases]);

    private static IEnumerable<NetworkSpec> NetworksOf(Stack stack, ServiceSpec spec) =>
        spec.Networks.Select(attachment => stack.Networks.FirstOrDefault(network => network.Key == attachment.Key)).OfType<NetworkSpec>().Where(network => !network.External);

    private static IEnumerable<NetworkJoin> Joins(Stack stack, ServiceSpec spec)
    {
        foreach (var attachment in spec.Networks)
        {
            if (stack.Networks.FirstOrDefault(item => item.Key == attachment.Key) is not { } network) continue;
            yield return new(network.Name, spec.Coloured ? [] : [spec.Name, .. attachment.Aliases], spec.Coloured ? null : attachment.Ipv4Address, spec.Coloured ? null : attachment.Ipv6Address);
        }

        foreach (var network in PeerNetworks(stack, spec)) yield return new(network, []);
    }

    private static MountSpec Named(Stack stack, MountSpec mount) => mount is { Kind: MountKind.Volume, Source: { } key }
        ? mount with { Source = stack.Volumes.FirstOrDefault(volume => volume.Key == key)?.Name ?? key }
        : mount;

    private static Dictionary<string, string> LabelsOf(ServiceSpec spec, Placement place, string image)
    {
        var labels = new Dictionary<string, string>
        {
            [Labels.Stack] = place.Release.Stack.Name,
            [Labels.Service] = spec.Name,
            [Labels.Release] = place.Release.Number.ToString(CultureInfo.InvariantCulture),
            [Labels.Deployment] = place.Deployment.ToString(),
            [Labels.Replica] = place.Replica.ToString(CultureInfo.InvariantCulture),
            [Labels.Spec] = Planner.SpecOf(spec, image, place.Release.Contents),
            [Labels.Kind] = "service",
        };
        if (place.Colour is { } colour) labels[Labels.Colour] = colour.Word();
        if (RouteLabel.Write(place.Release, spec) is { } routes) labels[Labels.Routes] = routes;
        if (VolumeLabel.Write(place.Release, spec) is { } volumes) labels[Labels.Volumes] = volumes;
        return labels;
    }
}

/// <summary>Whose container it is.</summary>
/// <param name="Colour">Null for a service that is recreated in place.</param>
/// <param name="Replica">From 1.</param>
public sealed record Placement(Release Release, Colour? Colour, int Replica, DeploymentId Deployment);
