using System.Collections.Immutable;

namespace Orchestrator.Agent.Api.Contracts;

/// <summary>A deployment: the move of a stack from one release to the next.</summary>
public sealed record DeploymentResponse
{
    /// <summary>Counted up from 1.</summary>
    public required long Id { get; init; }

    public required string Stack { get; init; }

    /// <summary>apply, deploy, rollback or remove.</summary>
    public required string Kind { get; init; }

    /// <summary>queued, running, succeeded, rolledBack, failed, cancelled or superseded.</summary>
    public required string State { get; init; }

    /// <summary>True: it found that everything was as wanted and changed nothing.</summary>
    public bool NothingToDo { get; init; }

    /// <summary>Who asked: a token's name, <c>socket</c>, <c>webhook:github</c>, <c>start</c>.</summary>
    public string Origin { get; init; } = "";

    public string? Version { get; init; }

    public string? Commit { get; init; }

    /// <summary>The release that it brings; null until it is written down.</summary>
    public int? Release { get; init; }

    /// <summary>Service → image that was asked for. Empty for an applied file or a rollback.</summary>
    public ImmutableSortedDictionary<string, string> Images { get; init; } = ImmutableSortedDictionary<string, string>.Empty;

    public required DateTimeOffset CreatedAt { get; init; }

    public DateTimeOffset? StartedAt { get; init; }

    public DateTimeOffset? EndedAt { get; init; }

    /// <summary>In the order in which they were begun.</summary>
    public ImmutableArray<StepResponse> Steps { get; init; } = [];

    /// <summary>Requests that the edge saw for the stack from the switch to the end of the bake.</summary>
    public required RequestCountResponse Requests { get; init; }

    /// <summary>Why it did not succeed; null while it has not failed.</summary>
    public FailureResponse? Failure { get; init; }

    /// <summary>What it does; null until it is planned.</summary>
    public PlanResponse? Plan { get; init; }

    /// <summary>What was worth knowing in the applied file; only in the answer to the request that applied it.</summary>
    public ImmutableArray<FindingResponse> Notes { get; init; } = [];

    /// <summary>Queued deployments whose place it took; only in the answer to the request that made it.</summary>
    public ImmutableArray<long> Superseded { get; init; } = [];
}

/// <param name="Name">plan, preflight, pull, protect, foundation, migrate, start, gate, smoke, shift, dependants, drain, bake, commit.</param>
/// <param name="State">running, succeeded, skipped, failed, undone or undoFailed.</param>
/// <param name="EndedAt">When its own work ended; of a step that was cut short, when it was undone.</param>
/// <param name="Detail">What was done or seen, for people.</param>
public sealed record StepResponse(string Name, string State, DateTimeOffset StartedAt, DateTimeOffset? EndedAt, string? Detail);

/// <param name="Failed">Answered with 5xx, or cut off by the application.</param>
public sealed record RequestCountResponse(long Total, long Failed);

/// <param name="Reason">To branch on; the names are stable.</param>
/// <param name="Detail">What was seen: probe results, exit code, last log lines.</param>
/// <param name="Hint">What to do next, and what state the stack is in.</param>
/// <param name="Step">The step that failed; null: outside of any step.</param>
public sealed record FailureResponse(string Reason, string Detail, string Hint, string? Step = null);

/// <summary>Something that happened in a deployment. The first one of a stream is its present state.</summary>
/// <param name="Step">The step that it concerns; null: the deployment as a whole.</param>
/// <param name="Message">One line of progress; null: the deployment itself has changed.</param>
public sealed record DeploymentEventResponse(DeploymentResponse Deployment, string? Step, string? Message, DateTimeOffset At);
