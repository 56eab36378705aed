using System.Collections.Immutable;
using Orchestrator.Backups;

namespace Orchestrator.Deployments;

/// <summary>How a continuous stream stands.</summary>
/// <param name="Kind"><c>postgres</c> or <c>redis</c>.</param>
/// <param name="LocalLag">For how long this host has lacked something; zero: it has all.</param>
/// <param name="LocalBytes">That exist in the service only.</param>
/// <param name="OffHostLag">For how long the stores have lacked something.</param>
public sealed record StreamState(string Stack, string Service, string Kind, bool Streaming, TimeSpan LocalLag, long LocalBytes, TimeSpan OffHostLag, long OffHostBytes)
{
    /// <summary>Commits wait for this host.</summary>
    public bool Synchronous { get; init; }

    /// <summary>Bytes that the server keeps for us; null: it keeps nothing of the kind.</summary>
    public long? ServerKeeps { get; init; }

    /// <summary>When what it may keep will be used up, at the present rate; null: it is not being used up.</summary>
    public TimeSpan? UntilFull { get; init; }

    /// <summary>Parts that nobody has, since the daemon's start.</summary>
    public int Holes { get; init; }

    /// <summary>Why a new set is needed; null: it is not.</summary>
    public string? NewBase { get; init; }

    public ImmutableArray<BackupFinding> Findings { get; init; } = [];
}
