using System.Collections.Immutable;
using Orchestrator.Planning;
using Orchestrator.Stacks;

namespace Orchestrator.Deployments;

/// <summary>Number of a deployment, counted up by the journal from 1.</summary>
public readonly record struct DeploymentId(long Value)
{
    public override string ToString() => Value.ToString(System.Globalization.CultureInfo.InvariantCulture);
}

public enum DeploymentKind
{
    /// <summary>A Compose file was applied.</summary>
    Apply,

    /// <summary>Images of one or more services were named.</summary>
    Deploy,

    /// <summary>An earlier release is brought back.</summary>
    Rollback,

    /// <summary>All services are taken away. Volumes and releases stay, so that a rollback brings everything back.</summary>
    Remove,

    /// <summary>Restored volumes take the place of the present ones; the services are the same.</summary>
    Restore,
}

public enum DeploymentState
{
    Queued,
    Running,

    /// <summary>Committed: what runs, is healthy and is routed is the release.</summary>
    Succeeded,

    /// <summary>Traffic had moved to the candidate and was moved back.</summary>
    RolledBack,

    /// <summary>Refused before traffic moved: nothing that anyone can see has changed.</summary>
    Failed,
    Cancelled,

    /// <summary>A newer request took its place in the queue.</summary>
    Superseded,
}

/// <summary>
/// What was asked for. The stack that is wanted is: <see cref="File"/>, else the manifest of <see cref="ToRelease"/>, else the current release;
/// then <see cref="Images"/> laid over it.
/// </summary>
public sealed record DeploymentRequest
{
    public required string Stack { get; init; }

    public required DeploymentKind Kind { get; init; }

    /// <summary>The applied file, parsed.</summary>
    public Stack? File { get; init; }

    /// <summary>Service → image reference.</summary>
    public ImmutableSortedDictionary<string, string> Images { get; init; } = ImmutableSortedDictionary<string, string>.Empty;

    /// <summary>For a rollback: the release; null: the one before the current.</summary>
    public int? ToRelease { get; init; }

    /// <summary>Key of a volume → the volume of the engine, filled already, that takes its place.</summary>
    public ImmutableSortedDictionary<string, string> Volumes { get; init; } = ImmutableSortedDictionary<string, string>.Empty;

    /// <summary>What people call this version; free text up to 200 characters.</summary>
    public string? Version { get; init; }

    public string? Commit { get; init; }

    /// <summary>Replace services even when nothing of them has changed, and deploy inside a freeze window.</summary>
    public bool Force { get; init; }

    /// <summary>Who asked: a token's name, <c>socket</c>, <c>webhook:github</c>, <c>start</c>.</summary>
    public string Origin { get; init; } = "";

    /// <summary>
    /// This request in the place of an older one that had not begun. A deployment of images keeps what the older one would have brought,
    /// where it does not say otherwise; a file or a rollback is whole by itself.
    /// </summary>
    public DeploymentRequest InPlaceOf(DeploymentRequest older) => Kind != DeploymentKind.Deploy
        ? this
        : this with
        {
            File = File ?? older.File,
            ToRelease = ToRelease ?? older.ToRelease,
            Images = older.Images.SetItems(Images),
            Force = Force || older.Force,
        };
}

/// <summary>The move of a stack from one release to the next.</summary>
public sealed record Deployment
{
    public required DeploymentId Id { get; init; }

    public required DeploymentRequest Request { get; init; }

    public required DeploymentState State { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    public DateTimeOffset? StartedAt { get; init; }

    public DateTimeOffset? EndedAt { get; init; }

    /// <summary>The release that it brings; null until it is written down.</summary>
    public int? Release { get; init; }

    /// <summary>What the stack was when it began: what an undo goes back to.</summary>
    public StackState? Before { get; init; }

    public Plan? Plan { get; init; }

    /// <summary>Why it did not succeed.</summary>
    public StepFailure? Failure { get; init; }

    /// <summary>Requests that the edge saw for the stack from the shift to the end of the bake.</summary>
    public RequestCount Requests { get; init; }

    /// <summary>The daemon was stopped in an orderly way in the middle of it: it is run again from its beginning.</summary>
    public bool Suspended { get; init; }

    /// <summary>Somebody has cancelled it. Written down before it is acknowledged, so that not even the daemon's death forgets it.</summary>
    public bool CancelRequested { get; init; }

    public ImmutableArray<StepRecord> Steps { get; init; } = [];

    public bool Ended => State is not (DeploymentState.Queued or DeploymentState.Running);
}

/// <param name="Failed">Answered with 5xx, or cut off by the application.</param>
public readonly record struct RequestCount(long Total, long Failed);

/// <summary>The steps of a deployment, in their order.</summary>
public enum StepKind
{
    Plan,
    Preflight,
    Pull,
    Protect,

    /// <summary>Networks, volumes, and services that are recreated in place and do not wait for a coloured one.</summary>
    Foundation,
    Migrate,
    Start,
    Gate,
    Smoke,
    Shift,

    /// <summary>Services recreated in place that depend on a coloured one.</summary>
    Dependants,
    Drain,
    Bake,
    Commit,
}

public enum StepState
{
    Running,
    Succeeded,
    Skipped,
    Failed,
    Undone,

    /// <summary>The undo threw; the others were undone all the same.</summary>
    UndoFailed,
}

/// <summary>A row of the journal: written before the step's effect and again after it.</summary>
/// <param name="Detail">What was done or seen, for people.</param>
public sealed record StepRecord(StepKind Name, StepState State, DateTimeOffset StartedAt, DateTimeOffset? EndedAt, string? Detail);
