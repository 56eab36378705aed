using System.Collections.Immutable;
using Orchestrator.Deployments;

namespace Orchestrator.Agent.StatusPage;

/// <summary>What there is to show, at one moment.</summary>
/// <param name="Problem">Why it is not as fresh as it should be; null: it is.</param>
internal sealed record Board(ImmutableArray<StackBoard> Stacks, DateTimeOffset ReadAt, string? Problem)
{
    public static readonly Board Empty = new([], DateTimeOffset.MinValue, null);

    /// <summary>The same with a newer look at one deployment.</summary>
    public Board With(Deployment deployment) => this with
    {
        Stacks = [.. Stacks.Select(stack => stack.Status.Stack == deployment.Request.Stack ? stack.With(deployment) : stack)],
    };
}

/// <param name="Recent">Newest first, the running one among them.</param>
/// <param name="Releases">Newest first.</param>
internal sealed record StackBoard(StackStatus Status, ImmutableArray<Deployment> Recent, ImmutableArray<Release> Releases)
{
    /// <summary>Null: nothing of it is backed up.</summary>
    public BackupBoard? Backups { get; init; }

    public IEnumerable<Deployment> Unfinished => Recent.Where(deployment => !deployment.Ended).Reverse();

    /// <summary>What one can roll back to, newest first.</summary>
    public IEnumerable<Release> Targets => Releases.Where(release => release.Committed && release.Number != Status.CurrentRelease);

    public StackBoard With(Deployment deployment)
    {
        var known = Recent.FirstOrDefault(other => other.Id == deployment.Id);
        var recent = known is null ? Recent.Insert(0, deployment) : Recent.Replace(known, deployment);
        return this with { Recent = recent, Status = Status with { Running = recent.LastOrDefault(one => !one.Ended) } };
    }
}
