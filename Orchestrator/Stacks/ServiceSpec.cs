using System.Collections.Immutable;

namespace Orchestrator.Stacks;

/// <summary>What decides how a service is replaced.</summary>
public enum ServiceRole
{
    /// <summary>Has a route: two colours beside each other, switched by the proxy.</summary>
    Routed,

    /// <summary>Owns a volume, or says so: never run twice, recreated in place.</summary>
    Stateful,

    /// <summary>Neither: with <c>x-basmalin</c> two colours without traffic; without it recreated in place, as <c>docker compose up</c> does.</summary>
    Worker,
}

/// <summary>One entry of <c>services:</c>, after interpolation and defaults.</summary>
public sealed record ServiceSpec
{
    public required string Name { get; init; }

    public required ServiceRole Role { get; init; }

    /// <summary>True when two generations (blue and green) of it may run at once: every routed service, and a worker that has <c>x-basmalin</c>.</summary>
    public required bool Coloured { get; init; }

    /// <summary>Number of containers, from 0 to 100.</summary>
    public int Replicas { get; init; } = 1;

    /// <summary>The image reference as written; after the pull the release pins it to a digest. Never empty: a service that is only built gets <c>{stack}-{service}</c>.</summary>
    public required string Image { get; init; }

    public BuildSpec? Build { get; init; }

    public PullPolicy Pull { get; init; } = PullPolicy.Missing;

    public string? Platform { get; init; }

    /// <summary>What the container is made of, apart from its image, its place in the stack and its colour.</summary>
    public required ContainerSettings Container { get; init; }

    public ImmutableArray<PublishedPort> Ports { get; init; } = [];

    /// <summary>Container ports named by <c>expose</c>.</summary>
    public ImmutableArray<int> Expose { get; init; } = [];

    public ImmutableArray<NetworkAttachment> Networks { get; init; } = [];

    public ImmutableArray<Dependency> DependsOn { get; init; } = [];

    /// <summary>Null when the service has no <c>x-basmalin</c>.</summary>
    public BasMalinSpec? BasMalin { get; init; }
}

/// <summary>When an image is fetched.</summary>
public enum PullPolicy
{
    /// <summary>A reference with a digest or already present is not fetched, except that a deployment always asks the registry what a tag means now.</summary>
    Missing,
    Always,
    Never,
    Build,
}

/// <summary>How an image is built. Paths are absolute.</summary>
public sealed record BuildSpec
{
    public required string Context { get; init; }

    /// <summary>Relative to <see cref="Context"/>.</summary>
    public string Dockerfile { get; init; } = "Dockerfile";

    public string? Target { get; init; }

    public ImmutableSortedDictionary<string, string> Args { get; init; } = ImmutableSortedDictionary<string, string>.Empty;

    public ImmutableSortedDictionary<string, string> Labels { get; init; } = ImmutableSortedDictionary<string, string>.Empty;

    public string? Network { get; init; }

    public bool NoCache { get; init; }

    public bool PullBases { get; init; }
}

/// <summary>A port of the container made reachable on the host. Ranges are unrolled by the parser.</summary>
/// <param name="HostAddress">Null: every address.</param>
/// <param name="HostPort">0: the engine chooses.</param>
public sealed record PublishedPort(string? HostAddress, int HostPort, int ContainerPort, string Protocol);

/// <summary>A network that the service joins.</summary>
/// <param name="Key">The key of the network in the file.</param>
public sealed record NetworkAttachment(string Key, ImmutableArray<string> Aliases, string? Ipv4Address, string? Ipv6Address);

/// <summary>What must be true of another service before this one starts.</summary>
public enum DependencyCondition
{
    Started,
    Healthy,
    CompletedSuccessfully,
}

/// <param name="Required">False: a missing or failed dependency is a warning.</param>
/// <param name="Restart">True: recreated after the dependency was.</param>
public sealed record Dependency(string Service, DependencyCondition Condition, bool Required, bool Restart);
