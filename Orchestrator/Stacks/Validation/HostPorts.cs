using System.Collections.Immutable;
using Orchestrator.Stacks.Parsing;

namespace Orchestrator.Stacks.Validation;

/// <summary>A port of the host can be had once.</summary>
internal static class HostPorts
{
    public static void Check(ImmutableArray<ServiceDraft> services, Reading reading)
    {
        var taken = new Dictionary<(int Port, string Protocol), List<(string? Address, string Service, string Path)>>();
        foreach (var service in services)
        {
            foreach (var (port, path) in service.Ports.Select(port => (port.Value, port.Path)).Where(port => port.Value.HostPort != 0))
            {
                var key = (port.HostPort, port.Protocol);
                if (!taken.TryGetValue(key, out var others)) taken[key] = others = [];

                foreach (var other in others.Where(other => Overlap(other.Address, port.HostAddress)))
                {
                    var whose = other.Service == service.Name ? "this service" : $"'{other.Service}'";
                    reading.Error(
                        path, $"port {Shown(port)} is published by {whose} already, at {other.Path} ({reading.PlaceOf(other.Path)})", "publish another port of the host");
                    break;
                }

                others.Add((port.HostAddress, service.Name, path));
            }
        }
    }

    private static bool Overlap(string? one, string? other)
    {
        if (one is null || other is null || one == other) return true;
        if (one is "::" || other is "::") return one.Contains(':', StringComparison.Ordinal) == other.Contains(':', StringComparison.Ordinal);

        return one is "0.0.0.0" || other is "0.0.0.0" ? one.Contains(':', StringComparison.Ordinal) == other.Contains(':', StringComparison.Ordinal) : false;
    }

    private static string Shown(PublishedPort port) => $"{(port.HostAddress is { } address ? $"{address}:" : "")}{port.HostPort}/{port.Protocol}";
}
