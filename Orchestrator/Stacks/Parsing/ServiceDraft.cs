using System.Collections.Immutable;

namespace Orchestrator.Stacks.Parsing;

/// <summary>A service as it was read: everything except what depends on the rest of the file.</summary>
internal sealed record ServiceDraft
{
    public required string Name { get; init; }

    public required string Path { get; init; }

    /// <summary>Null: only built, or missing, which has been reported.</summary>
    public string? Image { get; init; }

    public BuildSpec? Build { get; init; }

    public PullPolicy Pull { get; init; }

    public string? Platform { get; init; }

    public required ContainerSettings Container { get; init; }

    public ImmutableArray<Sited<MountSpec>> Mounts { get; init; } = [];

    public ImmutableArray<Sited<FileGrant>> Secrets { get; init; } = [];

    public ImmutableArray<Sited<FileGrant>> Configs { get; init; } = [];

    public int Replicas { get; init; } = 1;

    public ImmutableArray<Sited<PublishedPort>> Ports { get; init; } = [];

    public ImmutableArray<int> Expose { get; init; } = [];

    /// <summary>Never empty: a service that names no network joins <c>default</c>.</summary>
    public ImmutableArray<Sited<NetworkAttachment>> Networks { get; init; } = [];

    public ImmutableArray<Sited<Dependency>> DependsOn { get; init; } = [];

    public ImmutableArray<string> Profiles { get; init; } = [];

    public BasMalinSpec? BasMalin { get; init; }

    public string Key(string name) => $"{Path}.{name}";
}
