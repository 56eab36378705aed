using System.Collections.Immutable;

namespace Orchestrator.Stacks;

/// <summary>The part of a service that becomes the engine's container configuration, in the Compose file's words.</summary>
public sealed record ContainerSettings
{
    /// <summary>Null: the image's own. Empty: none.</summary>
    public ImmutableArray<string>? Command { get; init; }

    /// <summary>Null: the image's own. Empty: none.</summary>
    public ImmutableArray<string>? Entrypoint { get; init; }

    /// <summary>Sorted by name; a variable without a value is left out.</summary>
    public ImmutableSortedDictionary<string, string> Environment { get; init; } = ImmutableSortedDictionary<string, string>.Empty;

    public ImmutableSortedDictionary<string, string> Labels { get; init; } = ImmutableSortedDictionary<string, string>.Empty;

    public ImmutableArray<MountSpec> Mounts { get; init; } = [];

    /// <summary>Path in the container → mount options.</summary>
    public ImmutableSortedDictionary<string, string> Tmpfs { get; init; } = ImmutableSortedDictionary<string, string>.Empty;

    public ImmutableArray<FileGrant> Secrets { get; init; } = [];

    public ImmutableArray<FileGrant> Configs { get; init; } = [];

    public HealthcheckSpec? Healthcheck { get; init; }

    public RestartPolicy Restart { get; init; } = new("no", 0);

    public string? User { get; init; }

    public string? WorkingDir { get; init; }

    public string? Hostname { get; init; }

    /// <summary>As written in the file; a coloured or replicated service gets derived names, and the plan says so.</summary>
    public string? ContainerName { get; init; }

    public TimeSpan StopGracePeriod { get; init; } = TimeSpan.FromSeconds(10);

    public string? StopSignal { get; init; }

    public bool ReadOnly { get; init; }

    public bool? Init { get; init; }

    public bool Privileged { get; init; }

    public bool Tty { get; init; }

    public bool StdinOpen { get; init; }

    public ImmutableArray<string> CapAdd { get; init; } = [];

    public ImmutableArray<string> CapDrop { get; init; } = [];

    public ImmutableArray<string> SecurityOpt { get; init; } = [];

    public ImmutableArray<string> ExtraHosts { get; init; } = [];

    public ImmutableArray<string> Dns { get; init; } = [];

    public ImmutableArray<string> DnsSearch { get; init; } = [];

    public ImmutableArray<string> DnsOptions { get; init; } = [];

    public ImmutableSortedDictionary<string, string> Sysctls { get; init; } = ImmutableSortedDictionary<string, string>.Empty;

    public ImmutableArray<UlimitSpec> Ulimits { get; init; } = [];

    public ImmutableArray<DeviceSpec> Devices { get; init; } = [];

    public LoggingSpec? Logging { get; init; }

    public ResourceLimits Resources { get; init; } = new();
}

/// <summary>What kind of thing is mounted.</summary>
public enum MountKind
{
    Volume,
    Bind,
}

/// <param name="Source">For a volume its key in the file (null: anonymous); for a bind an absolute path on the host.</param>
/// <param name="Target">Absolute path in the container.</param>
/// <param name="CreateHostPath">For a bind: a missing directory is made, as the short form does.</param>
public sealed record MountSpec(MountKind Kind, string? Source, string Target, bool ReadOnly, bool CreateHostPath)
{
    /// <summary>For a volume: do not copy what the image has at the target into an empty volume.</summary>
    public bool NoCopy { get; init; }

    /// <summary>For a bind: rprivate, rshared, … Null: the engine's default.</summary>
    public string? Propagation { get; init; }
}

/// <summary>A secret or configuration given to a container.</summary>
/// <param name="Key">The key in the top-level <c>secrets</c> or <c>configs</c>.</param>
/// <param name="Target">Absolute path in the container.</param>
/// <param name="Mode">Unix permission bits, e.g. 0444.</param>
public sealed record FileGrant(string Key, string Target, string? Uid, string? Gid, int Mode);

/// <summary>The engine's own health check. <see cref="Disabled"/> switches off the image's.</summary>
public sealed record HealthcheckSpec
{
    public bool Disabled { get; init; }

    /// <summary>As the engine takes it: <c>["CMD", …]</c> or <c>["CMD-SHELL", "…"]</c>. Empty: the image's.</summary>
    public ImmutableArray<string> Test { get; init; } = [];

    public TimeSpan? Interval { get; init; }

    public TimeSpan? Timeout { get; init; }

    public TimeSpan? StartPeriod { get; init; }

    public int? Retries { get; init; }
}

/// <param name="Name">no, always, on-failure or unless-stopped.</param>
/// <param name="MaximumRetryCount">For on-failure; 0: without end.</param>
public sealed record RestartPolicy(string Name, int MaximumRetryCount);

public sealed record UlimitSpec(string Name, long Soft, long Hard);

public sealed record DeviceSpec(string Host, string Container, string Permissions);

public sealed record LoggingSpec(string Driver, ImmutableSortedDictionary<string, string> Options);

/// <summary>Limits of one container. Null: none.</summary>
public sealed record ResourceLimits
{
    /// <summary>Bytes.</summary>
    public long? Memory { get; init; }

    /// <summary>Bytes kept for it (soft limit).</summary>
    public long? MemoryReservation { get; init; }

    /// <summary>Cores, e.g. 0.5.</summary>
    public decimal? Cpus { get; init; }

    public long? Pids { get; init; }

    /// <summary>Bytes of /dev/shm.</summary>
    public long? ShmSize { get; init; }
}
