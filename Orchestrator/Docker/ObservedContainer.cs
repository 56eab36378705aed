using System.Collections.Immutable;
using Orchestrator.Stacks;

namespace Orchestrator.Docker;

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

    /// <summary>Path in the container → directory on the engine's host, of the volumes mounted into it.</summary>
    public ImmutableSortedDictionary<string, string> Directories { get; init; } = ImmutableSortedDictionary<string, string>.Empty;

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

    /// <summary>Which daemon's it is; null: made before they were told apart.</summary>
    public string? Agent => Labels.GetValueOrDefault(Docker.Labels.Agent);

    public bool IsMigration => Kind == "migration";

    /// <summary>A program that copies data: it ends by itself, and whoever started it takes it away, if need be after a restart.</summary>
    public bool IsBackup => Kind == "backup";

    /// <summary>No part of what the stack consists of.</summary>
    public bool IsOneShot => IsMigration || IsBackup;

    private string Kind => Labels.GetValueOrDefault(Docker.Labels.Kind, "");
}
