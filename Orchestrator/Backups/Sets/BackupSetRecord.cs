using System.Collections.Immutable;

namespace Orchestrator.Backups.Sets;

public enum BackupSetState
{
    /// <summary>Being made; after a crash, what is left of it is swept.</summary>
    Running,

    /// <summary>Its manifest is in at least one store.</summary>
    Succeeded,
    Failed,

    /// <summary>Taken away by retention, or by somebody.</summary>
    Deleted,
}

/// <summary>What the journal knows of a set.</summary>
public sealed record BackupSetRecord
{
    public required string Stack { get; init; }

    /// <summary>Counts up within the stack, and gives the order; never given twice.</summary>
    public required long Sequence { get; init; }

    public required BackupSetId Id { get; init; }

    public required BackupSetState State { get; init; }

    /// <summary>See <see cref="BackupManifest.Reason"/>.</summary>
    public required string Reason { get; init; }

    public required DateTimeOffset StartedAt { get; init; }

    public DateTimeOffset? EndedAt { get; init; }

    /// <summary>Why there is none; null while it runs and when all is well.</summary>
    public string? Problem { get; init; }

    public string? Hint { get; init; }

    /// <summary>Null until it is published.</summary>
    public BackupManifest? Manifest { get; init; }

    /// <summary>Store → <see cref="Whole"/>, or what is wrong with the set there.</summary>
    public ImmutableSortedDictionary<string, string> Zones { get; init; } = ImmutableSortedDictionary<string, string>.Empty;

    /// <summary>When a drill last restored it and found everything as it was; null: never.</summary>
    public DateTimeOffset? ProvedAt { get; init; }

    /// <summary>See <see cref="BackupManifest.IsDump"/>; false while it is being made.</summary>
    public bool IsDump => Manifest is { IsDump: true };

    /// <summary>Said of a store that has the whole set, verified there.</summary>
    public const string Whole = "whole";

    /// <summary>Its name among the sets of all stacks.</summary>
    public string Name => $"{Stack}.{Id}";

    public long Bytes => Manifest?.StoredBytes ?? 0;

    public TimeSpan? Took => EndedAt - StartedAt;

    public bool WholeIn(string store) => Zones.GetValueOrDefault(store) == Whole;
}
