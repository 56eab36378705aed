using System.Collections.Immutable;
using Orchestrator.Deployments;
using Orchestrator.Planning;

namespace Orchestrator.Journal;

/// <summary>
/// The record of what is so and of what was begun. A method that returns has made its change durable (it survives a power cut).
/// Failures to write are <see cref="JournalException"/>s.
/// </summary>
public interface IJournal
{
    /// <summary>Whether it can be believed and written to.</summary>
    JournalHealth Health { get; }

    Task<StackState?> FindStackAsync(string stack, CancellationToken cancellationToken);

    /// <summary>All stacks, by name. One whose record is damaged is left out and reported by <see cref="DamagedStacksAsync"/>.</summary>
    Task<ImmutableArray<StackState>> ListStacksAsync(CancellationToken cancellationToken);

    /// <summary>Names of stacks whose record fails its checksum, with what was seen.</summary>
    Task<ImmutableArray<(string Stack, string Problem)>> DamagedStacksAsync(CancellationToken cancellationToken);

    /// <summary>The generation of the stack's record before the current one; null: there is none, or it is damaged as well.</summary>
    Task<StackState?> PreviousStackAsync(string stack, CancellationToken cancellationToken);

    Task SaveStackAsync(StackState state, CancellationToken cancellationToken);

    /// <summary>Writes a release down and numbers it: the given number is not looked at.</summary>
    Task<Release> AddReleaseAsync(Release release, CancellationToken cancellationToken);

    /// <summary>Writes a release down under the number that it has, unless one is there that is whole; used when a lost journal is made anew.</summary>
    Task PutReleaseAsync(Release release, CancellationToken cancellationToken);

    /// <summary>The last number that was given to a release of the stack; 0: none.</summary>
    Task<int> LastReleaseAsync(string stack, CancellationToken cancellationToken);

    Task<Release?> FindReleaseAsync(string stack, int number, CancellationToken cancellationToken);

    /// <summary>Newest first.</summary>
    Task<ImmutableArray<Release>> ListReleasesAsync(string stack, CancellationToken cancellationToken);

    Task RemoveReleaseAsync(string stack, int number, CancellationToken cancellationToken);

    /// <summary>
    /// One transaction: a known <paramref name="idempotencyKey"/> gives the deployment that it gave before; otherwise queued deployments of the
    /// stack become superseded (the new request takes over what <see cref="DeploymentRequest.InPlaceOf"/> says) and a new one is queued.
    /// </summary>
    Task<Admission> AdmitAsync(DeploymentRequest request, string? idempotencyKey, CancellationToken cancellationToken);

    Task<Deployment?> FindDeploymentAsync(DeploymentId id, CancellationToken cancellationToken);

    /// <summary>Newest first, with their steps, without those that are damaged; of one stack or of all.</summary>
    Task<ImmutableArray<Deployment>> ListDeploymentsAsync(string? stack, int limit, CancellationToken cancellationToken);

    /// <summary>Forgets ended deployments of a stack but the newest <paramref name="keep"/>, and those that an idempotency key may still ask for.</summary>
    /// <returns>How many were forgotten.</returns>
    Task<int> PruneDeploymentsAsync(string stack, int keep, CancellationToken cancellationToken);

    /// <summary>Deployments that cannot be read, those that have ended included. Reads all of the history.</summary>
    Task<ImmutableArray<DamagedDeployment>> DamagedDeploymentsAsync(CancellationToken cancellationToken);

    /// <summary>Queued and running ones, oldest first, without those that are damaged; <see cref="DamagedStacksAsync"/> tells of these.</summary>
    Task<ImmutableArray<Deployment>> UnfinishedAsync(CancellationToken cancellationToken);

    /// <summary>Writes everything of a deployment but its steps.</summary>
    Task SaveDeploymentAsync(Deployment deployment, CancellationToken cancellationToken);

    /// <summary>Writes down that a deployment is to be undone.</summary>
    /// <returns>False when its commit has begun, or it has ended: nothing was changed.</returns>
    Task<bool> RequestCancelAsync(DeploymentId id, CancellationToken cancellationToken);

    /// <summary>The row before the effect. Begun twice is once: the later start counts.</summary>
    Task BeginStepAsync(DeploymentId id, StepKind step, CancellationToken cancellationToken);

    /// <summary>
    /// The row after the effect, in one transaction with the deployment's new content and, where the step moved traffic, the stack's new state
    /// and the commit of a release.
    /// </summary>
    Task EndStepAsync(StepEnd end, CancellationToken cancellationToken);
}

/// <param name="Stack">The stack's new state; null when the step has not changed it.</param>
/// <param name="CommitRelease">Marks the deployment's release as committed.</param>
public sealed record StepEnd(Deployment Deployment, StepKind Step, StepState State, string? Detail, StackState? Stack = null, bool CommitRelease = false);

/// <param name="Superseded">Queued deployments whose place it took.</param>
/// <param name="Known">True: the idempotency key had been seen, nothing was queued.</param>
public sealed record Admission(Deployment Deployment, ImmutableArray<DeploymentId> Superseded, bool Known);

/// <summary>What kept the journal from being read or written, to branch on.</summary>
public enum JournalFault
{
    Other,

    /// <summary>There is no room on its disk; nothing was changed.</summary>
    Full,

    /// <summary>What stands in the file is not what was written.</summary>
    Damaged,

    /// <summary>The file is a database, but not a journal.</summary>
    Foreign,
}

/// <summary>The journal could not be read or written.</summary>
public sealed class JournalException(string message, Exception? inner, JournalFault fault = JournalFault.Other) : Exception(message, inner)
{
    public JournalFault Fault { get; } = fault;
}
