using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace Orchestrator.Stacks;

/// <summary>
/// The identity of what a service's containers are made of. Two specifications with one hash need no new container; how a service is
/// routed, gated, watched and scaled is not part of it.
/// </summary>
public static class SpecHash
{
    /// <returns>SHA-256 over canonical JSON, in lower-case hexadecimal.</returns>
    public static string Of(ServiceSpec spec) => Of(spec, []);

    /// <param name="contents">What else the containers are made of: the granted files, one text each.</param>
    /// <returns>SHA-256 over canonical JSON, in lower-case hexadecimal.</returns>
    public static string Of(ServiceSpec spec, ImmutableArray<string> contents)
    {
        var made = spec with
        {
            Role = ServiceRole.Worker,
            Replicas = 1,
            Build = null,
            Pull = PullPolicy.Missing,
            DependsOn = [],
            BasMalin = null,

            // The proxy holds the ports of a coloured service, so they can change without its containers.
            Ports = spec.Coloured ? [] : Sorted(spec.Ports, port => $"{port.HostAddress}|{port.HostPort:00000}|{port.ContainerPort:00000}|{port.Protocol}"),
            Expose = Sorted(spec.Expose, port => $"{port:00000}"),
            Container = InOrder(spec.Container),
        };
        var text = CanonicalJson.Write(JsonSerializer.SerializeToNode(made, StackJson.Options));
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(string.Join('\n', contents.Prepend(text)))));
    }

    /// <summary>Lists whose order means nothing to the engine are put into one order, so that moving a line recreates nothing.</summary>
    private static ContainerSettings InOrder(ContainerSettings container) => container with
    {
        Mounts = Sorted(container.Mounts, mount => mount.Target),
        Secrets = Sorted(container.Secrets, grant => grant.Target),
        Configs = Sorted(container.Configs, grant => grant.Target),
        CapAdd = Sorted(container.CapAdd, name => name),
        CapDrop = Sorted(container.CapDrop, name => name),
        SecurityOpt = Sorted(container.SecurityOpt, option => option),
        Ulimits = Sorted(container.Ulimits, limit => limit.Name),
        Devices = Sorted(container.Devices, device => device.Container),
    };

    private static ImmutableArray<T> Sorted<T>(ImmutableArray<T> items, Func<T, string> key) =>
        items.IsDefaultOrEmpty ? [] : [.. items.OrderBy(key, StringComparer.Ordinal)];
}
