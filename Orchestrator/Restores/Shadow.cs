using System.Collections.Immutable;
using Orchestrator.Deployments;
using Orchestrator.Stacks;

namespace Orchestrator.Restores;

/// <summary>
/// A stack beside the real one: the same services under another name, on networks without a way out, with volumes of its own, without published ports,
/// routes, devices or anything of the host that it could write to. Nothing that watches the real stack takes it for a part of it.
/// </summary>
/// <param name="Release">The release that it runs, rewritten.</param>
/// <param name="Original">The release as it is.</param>
public sealed record Shadow(Release Release, Release Original)
{
    /// <summary>A dot stands in no name of a stack: this one can be nobody's.</summary>
    public static string NameOf(string stack, string purpose, long number) => string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{stack}.{purpose}.{number}");

    public string Name => Release.Stack.Name;

    /// <param name="services">Those that are to run, in any order.</param>
    /// <param name="volumes">Key → volume of the engine; a volume that is not here gets an empty one of its own.</param>
    /// <param name="patience">How long a service that recovers its data may take to be well.</param>
    public static Shadow Of(Release release, string name, IReadOnlySet<string> services, ImmutableSortedDictionary<string, string> volumes, TimeSpan patience)
    {
        var stack = release.Stack;
        return new(
            release with
            {
                Stack = stack with
                {
                    Name = name,
                    Services = [.. stack.Services.Where(spec => services.Contains(spec.Name)).Select(spec => Rewritten(release, spec, services, patience))],
                    Networks = [.. stack.Networks.Select(network => new NetworkSpec { Key = network.Key, Name = $"{name}_{network.Key}", Internal = true })],
                    Volumes = [.. stack.Volumes.Select(volume => new VolumeSpec { Key = volume.Key, Name = volumes.GetValueOrDefault(volume.Key, $"{name}_{volume.Key}") })],
                },
            },
            release);
    }

    /// <summary>What has data, what has a route, and what they depend on: the application as its users know it, without what works in the background.</summary>
    public static ImmutableHashSet<string> ServicesOf(Stack stack)
    {
        var wanted = stack.Services.Where(spec => spec.BasMalin is { Backup: not null } or { Route: not null }).Select(spec => spec.Name).ToHashSet();
        foreach (var spec in stack.Services.Reverse())          // in dependency order: one pass from the end is enough
        {
            if (wanted.Contains(spec.Name)) wanted.UnionWith(spec.DependsOn.Select(dependency => dependency.Service));
        }

        return [.. wanted];
    }

    private static ServiceSpec Rewritten(Release release, ServiceSpec spec, IReadOnlySet<string> services, TimeSpan patience) => spec with
    {
        Replicas = 1,
        Ports = [],
        Networks = [.. spec.Networks.Select(attachment => attachment with { Ipv4Address = null, Ipv6Address = null })],
        DependsOn = [.. spec.DependsOn.Where(dependency => services.Contains(dependency.Service))],
        Container = Harmless(spec.Container),
        BasMalin = (spec.BasMalin ?? new()) with { Gate = RuleOf(release, spec, patience) },
    };

    private static ContainerSettings Harmless(ContainerSettings settings) => settings with
    {
        ContainerName = null,
        Restart = new("no", 0),
        Privileged = false,
        Devices = [],
        Dns = [],
        Mounts = [.. settings.Mounts.Where(mount => mount.Kind == MountKind.Volume || IsPlain(mount.Source)).Select(mount => mount.Kind == MountKind.Bind ? mount with { ReadOnly = true, CreateHostPath = false } : mount)],
    };

    /// <summary>No sockets: whoever mounts the engine's drives the engine.</summary>
    private static bool IsPlain(string? path) =>
        path is not null && (Directory.Exists(path) || (File.Exists(path) && (File.GetAttributes(path) & (FileAttributes.Device | FileAttributes.ReparsePoint)) == 0 && new FileInfo(path).UnixFileMode != UnixFileMode.None && !IsSocket(path)));

    private static bool IsSocket(string path) => path.EndsWith(".sock", StringComparison.Ordinal);

    private static GateSpec RuleOf(Release release, ServiceSpec spec, TimeSpan patience)
    {
        var rule = Gates.RuleOf(spec, release.Images.GetValueOrDefault(spec.Name));
        return spec.Coloured ? rule : rule with { Deadline = patience, Interval = TimeSpan.FromMilliseconds(300), Successes = 1, Stable = TimeSpan.FromMilliseconds(500) };
    }
}
