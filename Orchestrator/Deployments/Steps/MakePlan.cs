using System.Collections.Immutable;
using Orchestrator.Docker;
using Orchestrator.Journal;
using Orchestrator.Planning;
using Orchestrator.Stacks;

namespace Orchestrator.Deployments.Steps;

/// <summary>Wanted against observed. What the tags mean is not asked yet, so a plan that seems to have nothing to do is looked at again after the pull.</summary>
public sealed class MakePlan(StackContainers containers, GrantedFiles files, IJournal journal) : IDeploymentStep
{
    private static readonly ImmutableSortedDictionary<string, string> None = ImmutableSortedDictionary<string, string>.Empty;

    public StepKind Kind => StepKind.Plan;

    public async Task<StepFailure?> ExecuteAsync(DeploymentWork work, CancellationToken cancellationToken)
    {
        var failure = await AimAsync(work, cancellationToken);
        if (failure is not null) return failure;

        var plan = await PlanAsync(work, cancellationToken);
        work.Deployment = work.Deployment with { Plan = plan };
        work.Detail = PlanText.Summary(plan);
        return null;
    }

    public Task UndoAsync(DeploymentWork work, CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>Plans on what is known of the images now: nothing before the pull, everything after it.</summary>
    public async Task<Plan> PlanAsync(DeploymentWork work, CancellationToken cancellationToken)
    {
        var observed = await containers.ListAsync(work.StackName, cancellationToken);
        return Planner.Make(new()
        {
            Wanted = work.Wanted,
            WantedImages = Pinned(work.Target),
            WantedContents = work.Target?.Contents ?? None,
            Current = work.Current?.Stack,
            CurrentImages = Pinned(work.Current),
            CurrentContents = work.Current?.Contents ?? None,
            State = work.State,
            Observed = [.. observed.Where(seen => !seen.IsOneShot).Select(Observe)],
            TargetRelease = work.Request.Kind == DeploymentKind.Rollback ? work.Target?.Number : null,
            Force = work.Request.Force,
        });
    }

    /// <summary>Finds out which stack is wanted: the file, else a release, else the current one; and the named images over it.</summary>
    public async Task<StepFailure?> AimAsync(DeploymentWork work, CancellationToken cancellationToken)
    {
        var request = work.Request;
        if (request.Kind == DeploymentKind.Rollback)
        {
            var target = await RollbackTargetAsync(work, cancellationToken);
            if (target is null) return NoRollback(work);
            work.Target = target;
            work.Target = VolumeNames.Over(target, work.Volumes);
            return null;
        }

        var basis = request.File ?? (request.ToRelease is { } number ? (await journal.FindReleaseAsync(request.Stack, number, cancellationToken))?.Stack : work.Current?.Stack);
        if (basis is null)
            return new(FailureReason.InvalidRequest, $"The stack {request.Stack} has no release yet.", $"Apply its Compose file first: basmalin apply FILE.");
        if (request.File is null && request.Kind != DeploymentKind.Remove && work.Current is { Partial: true }) return OnlyPartlyKnown(request.Stack);
        if (request.Kind == DeploymentKind.Remove) basis = basis with { Services = [], Secrets = [], Configs = [] };
        var unknown = request.Images.Keys.Where(service => basis.Find(service) is null).ToList();
        if (unknown.Count > 0)
        {
            return new(
                FailureReason.InvalidRequest,
                $"The stack {request.Stack} has no service {string.Join(", ", unknown)}.",
                basis.Services.IsEmpty ? $"It was removed: 'basmalin rollback {request.Stack}' brings it back." : $"Its services are {string.Join(", ", basis.Services.Select(spec => spec.Name))}.");
        }


        var versions = await files.VersionsAsync(basis, cancellationToken);
        work.Target = new()
        {
            Number = 0,
            Stack = basis with { Services = [.. basis.Services.Select(spec => Renewed(spec, request))] },
            Images = request.Kind == DeploymentKind.Restore && work.Current is { } same ? same.Images : ImmutableSortedDictionary<string, ImageIdentity>.Empty,
            SecretVersions = versions,
            Contents = await GrantedFiles.ContentsAsync(basis, versions, cancellationToken),
            Version = request.Version ?? (request.Kind == DeploymentKind.Restore ? work.Current?.Version : null),
            Commit = request.Commit ?? (request.Kind == DeploymentKind.Restore ? work.Current?.Commit : null),
            CreatedAt = work.Deployment.StartedAt ?? work.Deployment.CreatedAt,
            Deployment = work.Deployment.Id,
        };
        work.Target = VolumeNames.Over(work.Target, work.Volumes);
        return null;
    }

    private static ServiceSpec Renewed(ServiceSpec spec, DeploymentRequest request) =>
        request.Images.TryGetValue(spec.Name, out var image) ? spec with { Image = image, Build = null } : spec;

    private async Task<Release?> RollbackTargetAsync(DeploymentWork work, CancellationToken cancellationToken)
    {
        if (work.Request.ToRelease is { } number)
            return await journal.FindReleaseAsync(work.StackName, number, cancellationToken) is { Committed: true } named ? named : null;

        return (await journal.ListReleasesAsync(work.StackName, cancellationToken)).FirstOrDefault(release => release.Committed && release.Number < work.State.CurrentRelease);
    }

    private static StepFailure OnlyPartlyKnown(string stack) => new(
        FailureReason.InvalidRequest,
        $"After the loss of the journal only the routes of {stack} are known, from the labels of its containers: not its environment, volumes or services in place.",
        "Apply its Compose file first: basmalin apply FILE. Nothing was changed.");

    private static StepFailure NoRollback(DeploymentWork work) => new(
        FailureReason.NothingToRollBackTo,
        work.Request.ToRelease is { } number ? $"Release {number} of {work.StackName} was never committed, or is no longer kept." : $"{work.StackName} has no committed release before {work.State.CurrentRelease}.",
        $"'basmalin history {work.StackName}' lists the releases. Nothing was changed.");

    private static ImmutableSortedDictionary<string, string> Pinned(Release? release) =>
        release?.Images.ToImmutableSortedDictionary(pair => pair.Key, pair => pair.Value.Pinned) ?? ImmutableSortedDictionary<string, string>.Empty;

    private static ObservedReplica Observe(ObservedContainer seen) => new(
        seen.Service, seen.Colour, seen.Release, seen.Replica, seen.Spec, seen.State == ContainerState.Running, seen is { State: ContainerState.Exited, ExitCode: 0 });
}
