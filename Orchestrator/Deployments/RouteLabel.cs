using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Orchestrator.Docker;
using Orchestrator.Stacks;

namespace Orchestrator.Deployments;

/// <summary>
/// What the edge has to know of a coloured service, as a label of its containers: routes, gate and networks, never its environment. Should the journal be lost,
/// this and the engine's own word on who has the service's name are enough to serve it.
/// </summary>
public static class RouteLabel
{
    private const int SumDigits = 16;
    private const int Longest = 64 * 1024;

    /// <returns>Null when the service has nothing that the edge serves, or it is too long for a label (pages are not in it).</returns>
    public static string? Write(Release release, ServiceSpec spec)
    {
        if (spec.BasMalin is not { } settings || !spec.Coloured) return null;

        var used = spec.Networks.Select(attachment => attachment.Key).ToHashSet();
        var stack = new Stack
        {
            Name = release.Stack.Name,
            Directory = "/",
            Services = [Trimmed(release, spec, settings)],
            Networks = [.. release.Stack.Networks.Where(network => used.Contains(network.Key)).Select(network => new NetworkSpec { Key = network.Key, Name = network.Name, External = network.External })],
            Volumes = settings.Route is { Static.IsEmpty: false } ? [.. release.Stack.Volumes.Select(volume => new VolumeSpec { Key = volume.Key, Name = volume.Name, External = volume.External })] : [],
        };
        var json = StackJson.Write(stack);
        return json.Length > Longest ? null : $"{Sum(json)} {json}";
    }

    /// <returns>Null when the container has none, or it does not fit its checksum, or is of a newer version.</returns>
    public static Stack? Read(ObservedContainer container)
    {
        if (container.Labels.GetValueOrDefault(Labels.Routes) is not { Length: > SumDigits } text || text[SumDigits] != ' ') return null;

        var json = text[(SumDigits + 1)..];
        if (Sum(json) != text[..SumDigits]) return null;
        try
        {
            return StackJson.Read(json) is { Services: [var only] } stack && stack.Name == container.Stack && only.Name == container.Service ? stack : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static ServiceSpec Trimmed(Release release, ServiceSpec spec, BasMalinSpec settings) => spec with
    {
        Image = release.Images.GetValueOrDefault(spec.Name)?.Pinned ?? spec.Image,
        Build = null,
        DependsOn = [],
        Container = new ContainerSettings { StopGracePeriod = spec.Container.StopGracePeriod },
        BasMalin = settings with
        {
            Migrate = [],
            Smoke = [],
            Backup = null,
            Recycle = null,
            Route = settings.Route is not { } route ? null : route with
            {
                Port = StackTraffic.PortOf(spec, release.Images.GetValueOrDefault(spec.Name)),
                Pages = ImmutableSortedDictionary<string, string>.Empty,
            },
        },
    };

    private static string Sum(string json) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(json)))[..SumDigits];
}
