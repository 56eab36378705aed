using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;
using Docker.DotNet.Models;
using EngineHealth = Docker.DotNet.Models.Health;

namespace Orchestrator.Docker;

/// <summary>The engine's answers in this project's words. Pure.</summary>
internal static class Observation
{
    private const int MaxHealthDetail = 4096;

    public static ObservedContainer Of(ContainerInspectResponse seen)
    {
        var state = State(seen.State?.Status);
        return new ObservedContainer
        {
            Id = new ContainerId(seen.ID),
            Name = seen.Name.TrimStart('/'),
            Labels = seen.Config?.Labels?.ToImmutableSortedDictionary(StringComparer.Ordinal) ?? ImmutableSortedDictionary.Create<string, string>(StringComparer.Ordinal),
            State = state,
            ImageId = seen.Image,
            Health = Health(seen.State?.Health?.Status),
            HealthDetail = HealthDetail(seen.State?.Health),
            // The engine says 0 while a container runs or waits for its first start; that is no exit code.
            ExitCode = state is ContainerState.Exited or ContainerState.Dead or ContainerState.Restarting ? seen.State?.ExitCode : null,
            OomKilled = seen.State?.OOMKilled ?? false,
            RestartCount = (int)seen.RestartCount,
            StartedAt = Instant(seen.State?.StartedAt),
            FinishedAt = Instant(seen.State?.FinishedAt),
            Addresses = Addresses(seen.NetworkSettings?.Networks),
            Directories = Directories(seen.Mounts),
        };
    }

    public static ContainerState State(string? status) => status switch
    {
        "created" => ContainerState.Created,
        "running" => ContainerState.Running,
        "paused" => ContainerState.Paused,
        "restarting" => ContainerState.Restarting,
        "removing" => ContainerState.Removing,
        "exited" => ContainerState.Exited,
        _ => ContainerState.Dead,
    };

    /// <summary>The engine writes the year 1 for "never".</summary>
    public static DateTimeOffset? Instant(string? text) =>
        DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out var at) && at.Year > 1
            ? at
            : null;

    /// <summary>As <c>docker stats</c> counts it: without the file pages that were not used lately. Null when it does not run, and nothing is said.</summary>
    public static long? Memory(JsonElement stats)
    {
        if (!stats.TryGetProperty("memory_stats", out var memory) || !memory.TryGetProperty("usage", out var usage)) return null;

        var idle = memory.TryGetProperty("stats", out var parts) && (parts.TryGetProperty("inactive_file", out var pages) || parts.TryGetProperty("total_inactive_file", out pages))
            ? pages.GetInt64()
            : 0;
        var used = usage.GetInt64();
        return idle < used ? used - idle : used;
    }

    public static ImageIdentity Image(string reference, ImageInspectResponse seen, string? digest)
    {
        var repository = ImageReference.TryParse(reference)?.Repository;
        return new ImageIdentity
        {
            Reference = reference,
            Id = seen.ID,
            Digest = digest ?? DigestOf(repository, seen.RepoDigests ?? []),
            ExposedPorts = [.. (seen.Config?.ExposedPorts?.Keys ?? []).Select(Port).OfType<int>().Distinct().Order()],
            HasHealthcheck = seen.Config?.Healthcheck?.Test is { Count: > 0 } test && test[0] != "NONE",
            Size = seen.Size,
            BuiltFor = seen.Config?.Labels is { } labels && labels.TryGetValue(Labels.Stack, out var stack) ? stack : null,
        };
    }

    /// <summary>Of several names of one content the one in the repository that was asked for; by identifier any will do.</summary>
    private static string? DigestOf(string? repository, IList<string> digests) => repository is null
        ? digests.Order(StringComparer.Ordinal).FirstOrDefault()
        : digests.FirstOrDefault(digest => ImageReference.TryParse(digest)?.Repository == repository);

    private static int? Port(string text) => int.TryParse(text.Split('/')[0], NumberStyles.None, CultureInfo.InvariantCulture, out var port) ? port : null;

    private static DockerHealth Health(string? status) => status switch
    {
        "starting" => DockerHealth.Starting,
        "healthy" => DockerHealth.Healthy,
        "unhealthy" => DockerHealth.Unhealthy,
        _ => DockerHealth.None,
    };

    private static string? HealthDetail(EngineHealth? health)
    {
        var output = health?.Log?.LastOrDefault(result => result.ExitCode != 0)?.Output?.Trim();
        return output is { Length: > MaxHealthDetail } ? output[..MaxHealthDetail] : output;
    }

    private static ImmutableSortedDictionary<string, string> Directories(IList<MountPoint>? mounts) => (mounts ?? [])
        .Where(mount => mount.Type == "volume" && !string.IsNullOrEmpty(mount.Source))
        .ToImmutableSortedDictionary(mount => mount.Destination, mount => mount.Source, StringComparer.Ordinal);

    private static ImmutableSortedDictionary<string, string> Addresses(IDictionary<string, EndpointSettings>? networks) =>
        (networks ?? new Dictionary<string, EndpointSettings>())
            .Select(network => (network.Key, Address: string.IsNullOrEmpty(network.Value.IPAddress) ? network.Value.GlobalIPv6Address : network.Value.IPAddress))
            .Where(network => !string.IsNullOrEmpty(network.Address))
            .ToImmutableSortedDictionary(network => network.Key, network => network.Address, StringComparer.Ordinal);
}
