using System.Collections.Immutable;
using Orchestrator.Stacks;

namespace Orchestrator.Docker;

/// <summary>The engine's full identifier of a container.</summary>
public readonly record struct ContainerId(string Value)
{
    /// <summary>The twelve characters that people see.</summary>
    public string Short => Value.Length > 12 ? Value[..12] : Value;

    public override string ToString() => Short;
}

public enum ContainerState
{
    Created,
    Running,
    Paused,
    Restarting,
    Removing,
    Exited,
    Dead,
}

public enum DockerHealth
{
    /// <summary>The container has no health check.</summary>
    None,
    Starting,
    Healthy,
    Unhealthy,
}

/// <summary>A container of ours as the engine sees it now.</summary>
public sealed record ObservedContainer
{
    public required ContainerId Id { get; init; }

    /// <summary>Without the leading slash.</summary>
    public required string Name { get; init; }

    public required ImmutableSortedDictionary<string, string> Labels { get; init; }

    public required ContainerState State { get; init; }

    /// <summary>Identifier (sha256:…) of the image it runs.</summary>
    public required string ImageId { get; init; }

    public DockerHealth Health { get; init; }

    /// <summary>Output of the last failed health check of the engine; null when there is none.</summary>
    public string? HealthDetail { get; init; }

    public long? ExitCode { get; init; }

    public bool OomKilled { get; init; }

    public int RestartCount { get; init; }

    public DateTimeOffset? StartedAt { get; init; }

    public DateTimeOffset? FinishedAt { get; init; }

    /// <summary>Name of the network → address, of those that it is on; empty when it does not run.</summary>
    public ImmutableSortedDictionary<string, string> Addresses { get; init; } = ImmutableSortedDictionary<string, string>.Empty;

    public string Stack => Labels.GetValueOrDefault(Docker.Labels.Stack, "");

    public string Service => Labels.GetValueOrDefault(Docker.Labels.Service, "");

    public Colour? Colour => Labels.GetValueOrDefault(Docker.Labels.Colour) switch
    {
        "blue" => Stacks.Colour.Blue,
        "green" => Stacks.Colour.Green,
        _ => null,
    };

    public int Release => int.TryParse(Labels.GetValueOrDefault(Docker.Labels.Release), out var release) ? release : 0;

    public int Replica => int.TryParse(Labels.GetValueOrDefault(Docker.Labels.Replica), out var replica) ? replica : 0;

    public string Spec => Labels.GetValueOrDefault(Docker.Labels.Spec, "");

    public bool IsMigration => Labels.GetValueOrDefault(Docker.Labels.Kind) == "migration";
}

/// <summary>A container to be created.</summary>
public sealed record ContainerRequest
{
    public required string Name { get; init; }

    /// <summary>Identifier or digest reference: never a tag that could move.</summary>
    public required string Image { get; init; }

    public required ContainerSettings Settings { get; init; }

    /// <summary>Ours and the user's, merged; ours win.</summary>
    public required ImmutableSortedDictionary<string, string> Labels { get; init; }

    /// <summary>Replaces the command; used by migrations. Null: as in the settings.</summary>
    public ImmutableArray<string>? CommandOverride { get; init; }

    /// <summary>Ports that the engine publishes itself (services without a route).</summary>
    public ImmutableArray<PublishedPort> Ports { get; init; } = [];

    public ImmutableArray<int> Expose { get; init; } = [];

    /// <summary>Networks in order, with names and aliases on each.</summary>
    public ImmutableArray<NetworkJoin> Networks { get; init; } = [];

    /// <summary>Mounts with engine names: volumes by their real name, binds by absolute path; secrets and configurations are read-only binds among them.</summary>
    public ImmutableArray<MountSpec> Mounts { get; init; } = [];

    public string? Platform { get; init; }
}

/// <param name="Network">Its name on the engine.</param>
public sealed record NetworkJoin(string Network, ImmutableArray<string> Aliases, string? Ipv4Address = null, string? Ipv6Address = null);

public sealed record NetworkRequest(NetworkSpec Spec, ImmutableSortedDictionary<string, string> Labels);

public sealed record VolumeRequest(VolumeSpec Spec, ImmutableSortedDictionary<string, string> Labels);

/// <param name="Reference">The name that the built image gets.</param>
public sealed record BuildRequest(string Reference, BuildSpec Spec, string? Platform, ImmutableSortedDictionary<string, string> Labels);

/// <param name="At">When the container wrote it.</param>
public sealed record LogLine(DateTimeOffset At, bool IsError, string Text);

/// <param name="Output">Both streams, or only standard error when the output went elsewhere; at most 64 KiB.</param>
public sealed record ExecResult(long ExitCode, string Output);

/// <summary>An image, pinned.</summary>
public sealed record ImageIdentity
{
    /// <summary>As it was asked for.</summary>
    public required string Reference { get; init; }

    /// <summary>The engine's identifier, sha256:….</summary>
    public required string Id { get; init; }

    /// <summary><c>repository@sha256:…</c>; null for an image that no registry has.</summary>
    public string? Digest { get; init; }

    public ImmutableArray<int> ExposedPorts { get; init; } = [];

    public bool HasHealthcheck { get; init; }

    /// <summary>Bytes.</summary>
    public long Size { get; init; }

    /// <summary>What a container is created from: the digest where there is one, else the identifier.</summary>
    public string Pinned => Digest ?? Id;
}

public sealed record EngineInfo
{
    public required string Version { get; init; }

    public required string ApiVersion { get; init; }

    public required string OperatingSystem { get; init; }

    public required string Architecture { get; init; }

    public int Cpus { get; init; }

    /// <summary>Bytes of memory of the host.</summary>
    public long Memory { get; init; }

    /// <summary>The directory where images and volumes are kept.</summary>
    public required string RootDirectory { get; init; }

    public bool LiveRestore { get; init; }
}

/// <param name="Action">create, start, die, oom, health_status: unhealthy, destroy, …</param>
public sealed record EngineEvent(DateTimeOffset At, string Action, ContainerId Container, ImmutableSortedDictionary<string, string> Attributes);

/// <summary>The engine refused, or could not be reached.</summary>
public sealed class EngineException(EngineFault fault, string message, Exception? inner) : Exception(message, inner)
{
    public EngineFault Fault { get; } = fault;
}

/// <summary>What went wrong at the engine, to branch on.</summary>
public enum EngineFault
{
    Unreachable,
    NotFound,
    Conflict,
    ImageNotFound,
    RegistryUnreachable,
    RegistryDenied,
    PortInUse,
    NoSpace,
    BadRequest,
    BuildFailed,
    TimedOut,
    Other,
}
