using System.Collections.Immutable;
using Orchestrator.Stacks;

namespace Orchestrator.Planning;

/// <summary>
/// What serves a stack now: the record from which routes are laid again when the daemon starts. Written in the same transaction as the
/// journal row of the step that changed it.
/// </summary>
public sealed record StackState
{
    public required string Stack { get; init; }

    /// <summary>The release that has the traffic: set by the shift, confirmed by the commit; 0: none yet.</summary>
    public int CurrentRelease { get; init; }

    /// <summary>Coloured service → the generation that has the traffic.</summary>
    public ImmutableSortedDictionary<string, Generation> Live { get; init; } = ImmutableSortedDictionary<string, Generation>.Empty;

    /// <summary>The generations before, still running for an instant way back; null: none.</summary>
    public WarmState? Warm { get; init; }

    /// <summary>Requests are answered with the maintenance page.</summary>
    public bool Maintenance { get; init; }

    /// <summary>Networks, in CIDR notation, whose clients get through in maintenance.</summary>
    public ImmutableArray<string> MaintenanceAllow { get; init; } = [];

    /// <summary>Key of a volume → the volume of the engine that has taken its place, since a restore. A volume that is not here is the declared one.</summary>
    public ImmutableSortedDictionary<string, VolumeStandIn> Volumes { get; init; } = ImmutableSortedDictionary<string, VolumeStandIn>.Empty;
}

/// <param name="Name">On the engine.</param>
/// <param name="Declared">The name that the Compose file gives the volume; a file that names another one means that one.</param>
public sealed record VolumeStandIn(string Name, string Declared);

/// <param name="Release">The release whose containers these are.</param>
public sealed record Generation(Colour Colour, int Release);

/// <param name="Release">The release that was current before.</param>
/// <param name="Services">Service → generation that is kept running.</param>
/// <param name="Until">When it is stopped.</param>
public sealed record WarmState(int Release, ImmutableSortedDictionary<string, Generation> Services, DateTimeOffset Until);
