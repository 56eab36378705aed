using System.Collections.Immutable;

namespace Orchestrator.Stacks;

/// <summary>
/// One Compose file under management: parsed, interpolated, validated and immutable. Everything that a deployment needs is in it;
/// it is written whole into the release manifest, so that a rollback replays exactly what ran.
/// </summary>
public sealed record Stack
{
    /// <summary>Lower-case letters, digits, '-' and '_', starting with a letter or digit; at most 40 characters.</summary>
    public required string Name { get; init; }

    /// <summary>Absolute directory that relative paths of the file are resolved against.</summary>
    public required string Directory { get; init; }

    /// <summary>Services in an order in which each comes after all that it depends on; ties by their place in the file.</summary>
    public ImmutableArray<ServiceSpec> Services { get; init; } = [];

    public ImmutableArray<NetworkSpec> Networks { get; init; } = [];

    public ImmutableArray<VolumeSpec> Volumes { get; init; } = [];

    public ImmutableArray<FileObjectSpec> Secrets { get; init; } = [];

    public ImmutableArray<FileObjectSpec> Configs { get; init; } = [];

    public ServiceSpec? Find(string service) => Services.FirstOrDefault(spec => spec.Name == service);
}

/// <summary>A network of the stack. The network that services join when they name none is called <c>default</c>.</summary>
public sealed record NetworkSpec
{
    /// <summary>Its key in the Compose file.</summary>
    public required string Key { get; init; }

    /// <summary>Its name on the engine, e.g. <c>garden_default</c>.</summary>
    public required string Name { get; init; }

    /// <summary>Made by somebody else: must exist, is never created or removed.</summary>
    public bool External { get; init; }

    public string? Driver { get; init; }

    /// <summary>No way out to the world.</summary>
    public bool Internal { get; init; }

    public bool Attachable { get; init; }

    public bool EnableIPv6 { get; init; }

    public ImmutableSortedDictionary<string, string> DriverOptions { get; init; } = ImmutableSortedDictionary<string, string>.Empty;

    public ImmutableSortedDictionary<string, string> Labels { get; init; } = ImmutableSortedDictionary<string, string>.Empty;

    public ImmutableArray<IpamPool> Pools { get; init; } = [];
}

/// <summary>An address pool of a network, in CIDR notation.</summary>
public sealed record IpamPool(string? Subnet, string? Gateway, string? IpRange);

/// <summary>A named volume of the stack.</summary>
public sealed record VolumeSpec
{
    public required string Key { get; init; }

    /// <summary>Its name on the engine, e.g. <c>garden_pgdata</c>.</summary>
    public required string Name { get; init; }

    public bool External { get; init; }

    public string? Driver { get; init; }

    public ImmutableSortedDictionary<string, string> DriverOptions { get; init; } = ImmutableSortedDictionary<string, string>.Empty;

    public ImmutableSortedDictionary<string, string> Labels { get; init; } = ImmutableSortedDictionary<string, string>.Empty;
}

/// <summary>A secret or configuration of the stack: exactly one of <see cref="File"/>, <see cref="EnvironmentVariable"/>,
/// <see cref="Content"/> and <see cref="External"/> says where its content comes from.</summary>
public sealed record FileObjectSpec
{
    public required string Key { get; init; }

    /// <summary>The name it is kept under; for an external one, the name given to <c>basmalin secret set</c>.</summary>
    public required string Name { get; init; }

    /// <summary>Absolute path on the host.</summary>
    public string? File { get; init; }

    public string? EnvironmentVariable { get; init; }

    public string? Content { get; init; }

    public bool External { get; init; }
}
