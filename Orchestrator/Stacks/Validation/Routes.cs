using System.Collections.Immutable;
using Orchestrator.Stacks.Parsing;
using Orchestrator.Stacks.Values;

namespace Orchestrator.Stacks.Validation;

/// <summary>Routes: what leads to a service, to which of its ports, and that no two services claim the same.</summary>
internal sealed class Routes(Reading reading)
{
    private readonly Dictionary<(string Host, string Path), (string Service, string Path)> _claimed = [];

    public void CheckConflicts(ServiceDraft service)
    {
        if (service.BasMalin?.Route is not { } route) return;

        Claim(service, route.Hosts, route.Path, "hosts");
        Claim(service, [.. route.RedirectHosts.Except(route.Hosts)], route.Path, "redirect_hosts");
        if (route.Preview is { } preview) Claim(service, [.. preview.Hosts.Except(route.Hosts)], route.Path, "preview.hosts");
    }

    private void Claim(ServiceDraft service, ImmutableArray<string> hosts, string prefix, string key)
    {
        for (var index = 0; index < hosts.Length; index++)
        {
            var path = $"{service.Key($"x-basmalin.route.{key}")}[{index}]";
            if (_claimed.TryAdd((hosts[index], prefix), (service.Name, path))) continue;

            var other = _claimed[(hosts[index], prefix)];
            reading.Error(
                path, $"{hosts[index]}{prefix} leads to '{other.Service}' already, at {other.Path} ({reading.PlaceOf(other.Path)})",
                "give one of them another host or path");
        }
    }

    /// <summary>What the proxy serves of a volume, some service must put there.</summary>
    public void CheckStatic(ServiceDraft service, IReadOnlyCollection<VolumeSpec> volumes)
    {
        var folders = service.BasMalin?.Route?.Static ?? [];
        for (var index = 0; index < folders.Length; index++)
        {
            if (volumes.Any(volume => volume.Key == folders[index].Volume)) continue;

            var near = Nearest.To(folders[index].Volume, [.. volumes.Select(volume => volume.Key)]);
            reading.Error(
                $"{service.Key("x-basmalin.route.static")}[{index}].volume", $"no service mounts a volume '{folders[index].Volume}'",
                near is null ? "name a volume of this file that a service mounts" : $"did you mean '{near}'?");
        }
    }

    /// <returns>The extension with the ports of route and gate filled in where the file leaves one choice; the image may still name one.</returns>
    public BasMalinSpec? WithPorts(ServiceDraft service)
    {
        if (service.BasMalin is not { } extension) return null;

        var published = service.Ports.Where(port => port.Value.Protocol == "tcp").Select(port => port.Value.ContainerPort).Distinct().ToImmutableArray();
        var candidates = published.IsEmpty ? service.Expose : published;
        if (extension.Route is { } route)
        {
            CheckPublished(service, route);
            return extension with { Route = route with { Port = Port(service, "route", route.Port, candidates) } };
        }

        return extension.Gate is { Kind: GateKind.Http } gate
            ? extension with { Gate = gate with { Port = Port(service, "gate", gate.Port, candidates) } }
            : extension;
    }

    private int Port(ServiceDraft service, string key, int declared, ImmutableArray<int> candidates)
    {
        if (declared != 0 || candidates.IsEmpty) return declared;
        if (candidates.Length > 1)
            reading.Error(service.Key($"x-basmalin.{key}"), $"the container has several ports ({string.Join(", ", candidates)}): which one is meant?", $"port: {candidates[0]}");
        return candidates[0];
    }

    private void CheckPublished(ServiceDraft service, RouteSpec route)
    {
        foreach (var (published, path) in service.Ports.Select(one => (one.Value, one.Path)))
        {
            if (published.Protocol != "tcp")
                reading.Error(path, $"the proxy serves the ports of a routed service and does not carry {published.Protocol}", "publish it from a service without a route");
            else if (published.HostPort == 0)
                reading.Note(path, "the service is routed: no port of the host is opened for it", "the route leads to it; write \"8080:80\" for a port of its own");
        }

        // Hosts that are all wrong have been reported.
        if (route.Hosts.IsEmpty && !reading.Has(service.Key("x-basmalin.route.hosts")) && service.Ports.All(one => one.Value.HostPort == 0))
            reading.Error(
                service.Key("x-basmalin.route"), "nothing leads to this service: its route has no hosts and it publishes no port",
                "hosts: [garden.example], hosts: [\"*\"] for any, or ports: [\"3000:3000\"]");
    }
}
