using System.Collections.Immutable;
using System.Text.Json.Serialization;

namespace Orchestrator.Restores;

/// <summary>
/// What was proved of a set: written once, when the drill has ended, and chained to the record before it. Plain words and numbers, no content.
/// </summary>
public sealed record DrillRecord
{
    /// <summary>Counts up over all stacks.</summary>
    public required long Number { get; init; }

    public required string Stack { get; init; }

    public required string Set { get; init; }

    public required DateTimeOffset StartedAt { get; init; }

    public required DateTimeOffset EndedAt { get; init; }

    /// <summary>Everything was as it should be.</summary>
    public required bool Passed { get; init; }

    public required ImmutableArray<DrillCheck> Checks { get; init; }

    /// <summary>Seconds by phase: <c>fetch</c>, <c>start</c>, <c>check</c>, <c>indexes</c>, <c>application</c>, and <c>total</c>, the measured time from nothing to an application that answers.</summary>
    public required ImmutableSortedDictionary<string, double> Phases { get; init; }

    /// <summary>Service → the image that ran on the restored data.</summary>
    public ImmutableSortedDictionary<string, string> Images { get; init; } = ImmutableSortedDictionary<string, string>.Empty;

    /// <summary>Bytes that were fetched and decrypted.</summary>
    public long Bytes { get; init; }

    /// <summary>Why it was not passed; null: it was.</summary>
    public string? Problem { get; init; }

    public string? Hint { get; init; }

    /// <summary>False: it was of a dump, which is loaded into an empty server and nothing more.</summary>
    [JsonIgnore]
    public bool OfStack => Phases.ContainsKey("application");

    /// <summary>Seconds until the restored stack answered; what a real restore would take at least.</summary>
    public double RecoverySeconds => Phases.GetValueOrDefault("total");
}

/// <param name="What">e.g. <c>postgres: rows and hashes of 12 tables</c>.</param>
/// <param name="Detail">What was seen.</param>
public sealed record DrillCheck(string Service, string What, bool Passed, string Detail);
