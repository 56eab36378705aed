using System.Collections.Immutable;
using Orchestrator.Stacks.Parsing;

namespace Orchestrator.Stacks.Validation;

/// <summary>Routes: what leads to a service, to which of its ports, and that no two services claim the same.</summary>
internal sealed class Routes(Reading reading)
{
    private readonly Dictionary<(string Host, string Path), (string Service, string Path)> _claimed = [];

    public void CheckConflicts(ServiceDraft service)
    {
        if (service.BasMalin?.Route is not { } route) return;

        for (var index = 0; index < route.Hosts.Length; index++)
        {
            var path = $"{service.Key("x-basmalin.route.hosts")}[{index}]";
            if (_claimed.TryAdd((route.Hosts[index], route.Path), (service.Name, path))) continue;

            var other = _claimed[(route.Hosts[index], route.Path)];
            reading.Error(
                path, $"{route.Hosts[index]}{route.Path} leads to '{other.Service}' already, at {other.Path} ({reading.PlaceOf(other.Path)})",
                "give one of them another host or path");
        }
    }

    /// <returns>The extension with the ports of route and gate filled in where the file leaves one choice.</returns>
    public BasMalinSpec? WithPorts(ServiceDraft service)
    {
        if (service.BasMalin is not { } extension) return null;

        var candidates = service.Ports.Where(port => port.Value.Protocol == "tcp").Select(port => port.Value.ContainerPort)
            .Concat(service.Expose).Distinct().ToImmutableArray();
        if (extension.Route is { } route)
        {
            var port = route.Port != 0 ? route.Port : candidates.Length == 1 ? candidates[0] : 0;
            if (port == 0 && candidates.Length > 1)
                reading.Error(service.Key("x-basmalin.route"), $"the container has several ports ({string.Join(", ", candidates)}): which one is meant?", $"port: {candidates[0]}");
            CheckPublished(service, route, port);
            return extension with { Route = route with { Port = port } };
        }

        if (extension.Gate is not { Kind: GateKind.Http, Port: 0 } gate) return extension;
        if (candidates.Length == 1) return extension with { Gate = gate with { Port = candidates[0] } };

        reading.Error(service.Key("x-basmalin.gate"), "the port of the probe is not clear: the service has no route and not exactly one port", "port: 8080");
        return extension;
    }

    private void CheckPublished(ServiceDraft service, RouteSpec route, int port)
    {
        foreach (var (published, path) in service.Ports.Select(one => (one.Value, one.Path)))
        {
            if (published.Protocol != "tcp")
                reading.Error(path, $"the proxy serves the ports of a routed service and does not carry {published.Protocol}", "publish it from a service without a route");
            else if (port != 0 && published.ContainerPort != port)
                reading.Error(
                    path, $"the proxy serves the ports of a routed service and leads to port {port} of the container, not {published.ContainerPort}",
                    "publish this port from a service of its own, or use expose: peers reach it on the stack's network");
            else if (published.HostPort == 0)
                reading.Note(path, "the service is routed: no port of the host is opened for it", "the route leads to it; write \"8080:80\" for a port of its own");
        }

        // Hosts that are all wrong have been reported.
        if (!reading.Has(service.Key("x-basmalin.route.hosts")) && service.Ports.All(one => one.Value.HostPort == 0))
            reading.Error(service.Key("x-basmalin.route"), "nothing leads to this service: its route has no hosts and it publishes no port", "hosts: [garden.example], hosts: [\"*\"] for any, or ports: [\"3000:3000\"]");
    }
}
