using System.Collections.Immutable;
using Orchestrator.Docker;
using Orchestrator.Journal;
using Orchestrator.Stacks;

namespace Orchestrator.Deployments.Steps;

/// <summary>Every image is fetched or built and pinned, the plan is made again on what the tags mean, and the release is written down.</summary>
public sealed class PullImages(StackContainers containers, MakePlan planner, GrantedFiles files, IJournal journal) : IDeploymentStep
{
    public StepKind Kind => StepKind.Pull;

    public async Task<StepFailure?> ExecuteAsync(DeploymentWork work, CancellationToken cancellationToken)
    {
        var rollback = work.Request.Kind == DeploymentKind.Rollback;
        if (rollback && work.Plan.WarmSwap) return Known(work);

        var (images, failure) = await ResolveAsync(work, rollback || work.Request.Kind == DeploymentKind.Restore, cancellationToken);
        if (failure is not null || work.Target is not { } target) return failure;

        var missing = await files.MissingAsync(target.Stack, cancellationToken);
        if (missing.Length > 0)
            return new(FailureReason.SecretMissing, $"There is no value for {string.Join(", ", missing)}.", $"basmalin secret set {work.StackName} NAME < FILE. Nothing was changed.");

        work.Target = target with { Images = images };
        work.Deployment = work.Deployment with { Plan = await planner.PlanAsync(work, cancellationToken) };
        if (work.Plan.NothingToDo && work.Current is not null) return Nothing(work);
        if (rollback) return Known(work);

        if (work.Deployment.Release is null)                        // entered twice: the number that was given stays
        {
            work.Target = await journal.AddReleaseAsync(work.Target, cancellationToken);
            work.Deployment = work.Deployment with { Release = work.Target.Number };
        }

        work.Detail = $"release {work.Target.Number}: {string.Join(", ", images.Select(pair => $"{pair.Key} {Short(pair.Value)}"))}";
        return null;
    }

    /// <summary>A release that was written down stays in the journal, uncommitted: its number is used up.</summary>
    public Task UndoAsync(DeploymentWork work, CancellationToken cancellationToken) => Task.CompletedTask;

    private static StepFailure? Known(DeploymentWork work)
    {
        work.Deployment = work.Deployment with { Release = work.Target?.Number };
        work.Detail = $"release {work.Target?.Number} as it was";
        return null;
    }

    private static StepFailure? Nothing(DeploymentWork work)
    {
        work.Deployment = work.Deployment with { Release = work.State.CurrentRelease };
        work.Finished = true;
        work.Detail = $"nothing to do: release {work.State.CurrentRelease} is what is wanted";
        return null;
    }

    private async Task<(ImmutableSortedDictionary<string, ImageIdentity> Images, StepFailure? Failure)> ResolveAsync(DeploymentWork work, bool replay, CancellationToken cancellationToken)
    {
        var images = ImmutableSortedDictionary.CreateBuilder<string, ImageIdentity>();
        foreach (var spec in work.Wanted.Services)
        {
            try
            {
                var image = replay && work.Target?.Images.GetValueOrDefault(spec.Name) is { } known
                    ? await FetchAgainAsync(known, spec, work, cancellationToken)
                    : await FetchAsync(work, spec, cancellationToken);
                images[spec.Name] = image;
            }
            catch (EngineException failure) when (ReasonOf(failure.Fault) is { } reason)
            {
                return (images.ToImmutable(), new(reason, $"{spec.Name}: {failure.Message}", HintFor(reason, failure.Message, spec, work)));
            }
        }

        return (images.ToImmutable(), null);
    }

    private async Task<ImageIdentity> FetchAsync(DeploymentWork work, ServiceSpec spec, CancellationToken cancellationToken)
    {
        var progress = new Relay(line => work.Report($"{spec.Name}: {line}"));
        if (spec.Build is { } build && (spec.Pull is PullPolicy.Build or PullPolicy.Missing || work.Request.Force))
            return await containers.Engine.BuildAsync(new(spec.Image, build, spec.Platform, BuildLabels(work, build)), progress, cancellationToken);

        if (StaysAsItIs(work, spec) is { } running && await containers.Engine.FindImageAsync(running.Pinned, cancellationToken) is not null) return running;
        var present = await containers.Engine.FindImageAsync(spec.Image, cancellationToken);
        if (present is not null && (spec.Pull == PullPolicy.Never || spec.Image.Contains('@', StringComparison.Ordinal))) return present;
        if (spec.Pull == PullPolicy.Never) throw new EngineException(EngineFault.ImageNotFound, $"{spec.Image} is not on this host and pull_policy is never.", null);

        try
        {
            return await containers.Engine.PullAsync(spec.Image, spec.Platform, progress, cancellationToken);
        }
        catch (EngineException failure) when (present is not null && spec.Pull == PullPolicy.Missing && LocalWillDo(work, spec, present, failure.Fault))
        {
            work.Report($"{spec.Name}: the registry does not have {spec.Image} or does not answer; the image on this host is taken");
            return present;
        }
    }

    /// <summary>A deployment of named images leaves the other services alone: they keep the image that they run, whatever its tag means by now.</summary>
    private static ImageIdentity? StaysAsItIs(DeploymentWork work, ServiceSpec spec) =>
        work.Request.Kind == DeploymentKind.Deploy && !work.Request.Images.IsEmpty && !work.Request.Images.ContainsKey(spec.Name)
        && work.Current?.Stack.Find(spec.Name)?.Image == spec.Image ? work.Current.Images.GetValueOrDefault(spec.Name) : null;

    /// <summary>An image that was only ever built here has no digest. One that was named in the request must come from its registry: a stale one is not what was asked for.</summary>
    private static bool LocalWillDo(DeploymentWork work, ServiceSpec spec, ImageIdentity present, EngineFault fault) =>
        fault is EngineFault.ImageNotFound or EngineFault.RegistryDenied or EngineFault.RegistryUnreachable
        && (present.Digest is null || !work.Request.Images.ContainsKey(spec.Name));

    private async Task<ImageIdentity> FetchAgainAsync(ImageIdentity known, ServiceSpec spec, DeploymentWork work, CancellationToken cancellationToken) =>
        await containers.Engine.FindImageAsync(known.Pinned, cancellationToken) is not null || known.Digest is null
            ? known
            : known with { Id = (await containers.Engine.PullAsync(known.Digest, spec.Platform, new Relay(work.Report), cancellationToken)).Id };

    private static ImmutableSortedDictionary<string, string> BuildLabels(DeploymentWork work, BuildSpec build) => build.Labels.SetItem(Labels.Stack, work.StackName);

    private static FailureReason? ReasonOf(EngineFault fault) => fault switch
    {
        EngineFault.ImageNotFound => FailureReason.ImageNotFound,
        EngineFault.RegistryUnreachable => FailureReason.RegistryUnreachable,
        EngineFault.RegistryDenied => FailureReason.RegistryDenied,
        EngineFault.BuildFailed => FailureReason.BuildFailed,
        EngineFault.NoSpace => FailureReason.NotEnoughDisk,
        _ => null,
    };

    private static string HintFor(FailureReason reason, string detail, ServiceSpec spec, DeploymentWork work) => reason switch
    {
        FailureReason.ImageNotFound => $"Is {spec.Image} spelled right, and pushed? Nothing was changed.",
        FailureReason.RegistryUnreachable => "Is the registry up and reachable from this host? Nothing was changed.",
        FailureReason.RegistryDenied => "Log in on this host as the daemon's user: docker login. Nothing was changed.",
        FailureReason.BuildFailed when detail.Contains("BuildKit", StringComparison.Ordinal) =>
            "The engine's classic builder makes the image, which has no RUN --mount and no heredocs: build it in CI and push it, or do without. Nothing was changed.",
        FailureReason.BuildFailed => "The last lines of the build are above. Nothing was changed.",
        _ => $"{work.StackName} is as it was.",
    };

    private static string Short(ImageIdentity image) => image.Digest is { } digest ? digest[..Math.Min(digest.Length, digest.IndexOf(':', digest.IndexOf('@', StringComparison.Ordinal)) + 13)] : image.Id[..Math.Min(19, image.Id.Length)];

    /// <summary>Progress that is told at once and in order, unlike <see cref="Progress{T}"/>.</summary>
    private sealed class Relay(Action<string> tell) : IProgress<string>
    {
        public void Report(string value) => tell(value);
    }
}
