using System.Collections.Immutable;
using System.Net.Http.Json;
using Orchestrator.Agent.Api.Contracts;
using Orchestrator.Agent.Cli;
using Orchestrator.Docker;

namespace Orchestrator.Benchmarks.Chaos;

/// <summary>A deployment that has ended, however.</summary>
/// <param name="Version">What it was to bring.</param>
internal sealed record Move(ActKind Kind, string Version, DeploymentResponse Deployment);

/// <summary>The deployments of the main stack.</summary>
internal sealed class Moves(ChaosScene scene, Blows blows)
{
    /// <summary>Asks for it and waits for its end.</summary>
    /// <returns>Null: there was nothing to go back to.</returns>
    public Task<Move?> RunAsync(ChaosAct act, CancellationToken cancellationToken) => act.Kind switch
    {
        ActKind.Deploy => DeployAsync(act, ChaosImages.GoodOne(act.Pick), null, cancellationToken),
        ActKind.DeployFailing => DeployAsync(act, ChaosImages.BadOne(act.Pick), null, cancellationToken),
        ActKind.Cancel => DeployAsync(act, ChaosImages.GoodOne(act.Pick), CancelAsync, cancellationToken),
        ActKind.RemoveCandidate => DeployAsync(act, ChaosImages.GoodOne(act.Pick), RemoveCandidateAsync, cancellationToken),
        ActKind.WarmRollback => WarmAsync(act, cancellationToken),
        ActKind.ColdRollback => ColdAsync(act, cancellationToken),
        _ => throw new InvalidOperationException($"{act.Kind} is no deployment."),
    };

    /// <summary>The first of a stack.</summary>
    public async Task<DeploymentResponse> ApplyAsync(string file, string version, CancellationToken cancellationToken)
    {
        var apply = new ApplyRequest { Content = file, Directory = Path.GetTempPath(), FileName = "compose.yml", Version = version };
        var deployment = await scene.Daemon.SubmitAsync("stacks", () => JsonContent.Create(apply, ApiJson.Default.ApplyRequest), cancellationToken);
        var ended = await scene.Daemon.EndedAsync(deployment.Id, cancellationToken);
        return ended.State == "succeeded" ? ended : throw new InvalidOperationException($"The first deployment of {ended.Stack} ended as {ended.State}: {ended.Failure}");
    }

    private async Task<Move?> DeployAsync(ChaosAct act, string version, Func<ChaosAct, DeploymentResponse, CancellationToken, Task>? meanwhile, CancellationToken cancellationToken)
    {
        var deploy = new DeployRequest { Images = ImmutableSortedDictionary<string, string>.Empty.Add(ChaosStacks.App, ChaosImages.Name(version)), Version = version, Force = true };
        return await FollowAsync(act, version, $"stacks/{ChaosStacks.Main}/deployments", () => JsonContent.Create(deploy, ApiJson.Default.DeployRequest), meanwhile, cancellationToken);
    }

    private async Task<Move?> WarmAsync(ChaosAct act, CancellationToken cancellationToken)
    {
        var status = await scene.Daemon.StatusAsync(ChaosStacks.Main, cancellationToken);
        if (status.Warm is null)
        {
            var first = await DeployAsync(act with { Kind = ActKind.Deploy }, ChaosImages.GoodOne(act.Pick), null, cancellationToken);
            if (first?.Deployment.State != "succeeded") return first;
            status = await scene.Daemon.StatusAsync(ChaosStacks.Main, cancellationToken);
        }

        return status.Warm is { } warm ? await BackToAsync(act, warm.Release, cancellationToken) : null;
    }

    private async Task<Move?> ColdAsync(ChaosAct act, CancellationToken cancellationToken)
    {
        var warm = (await scene.Daemon.StatusAsync(ChaosStacks.Main, cancellationToken)).Warm?.Release;
        var choice = (await ReleasesAsync(cancellationToken)).Where(release => release is { Committed: true, Current: false } && release.Number != warm).ToList();
        return choice.Count > 0 ? await BackToAsync(act, choice[act.Pick % choice.Count].Number, cancellationToken) : null;
    }

    private async Task<Move?> BackToAsync(ChaosAct act, int release, CancellationToken cancellationToken)
    {
        var version = (await ReleasesAsync(cancellationToken)).Single(one => one.Number == release).Version ?? throw new InvalidOperationException($"Release {release} has no version.");
        var rollback = new RollbackRequest { To = release };
        return await FollowAsync(act, version, $"stacks/{ChaosStacks.Main}/rollback", () => JsonContent.Create(rollback, ApiJson.Default.RollbackRequest), null, cancellationToken);
    }

    private async Task<Move?> FollowAsync(
        ChaosAct act, string version, string path, Func<HttpContent> content, Func<ChaosAct, DeploymentResponse, CancellationToken, Task>? meanwhile, CancellationToken cancellationToken)
    {
        var before = (await scene.Daemon.StatusAsync(ChaosStacks.Main, cancellationToken)).Version ?? throw new InvalidOperationException("The stack has no version.");

        // Those that fail before the traffic moves may never be seen by anybody.
        if (ChaosImages.IsGood(version) || ChaosImages.FailsInBake(version)) scene.Versions.Allow(version);
        var deployment = await scene.Daemon.SubmitAsync(path, content, cancellationToken);
        if (meanwhile is not null) await meanwhile(act, deployment, cancellationToken);
        var ended = await scene.Daemon.EndedAsync(deployment.Id, cancellationToken);
        scene.Versions.Only(ended.State == "succeeded" ? version : before);
        return new Move(act.Kind, version, ended);
    }

    private Task<ReleaseResponse[]> ReleasesAsync(CancellationToken cancellationToken) =>
        scene.Daemon.AskAsync((client, token) => client.GetAsync($"stacks/{ChaosStacks.Main}/releases", ApiJson.Default.ReleaseResponseArray, token), cancellationToken);

    private async Task CancelAsync(ChaosAct act, DeploymentResponse deployment, CancellationToken cancellationToken)
    {
        await Task.Delay(act.Span, scene.Time, cancellationToken);
        try
        {
            await scene.Daemon.AskAsync(
                (client, token) => client.SendAsync(new HttpRequestMessage(HttpMethod.Post, $"deployments/{deployment.Id}/cancel"), ApiJson.Default.DeploymentResponse, token), cancellationToken);
        }
        catch (CliFailure late) when (late.Problem is { Status: 409 })
        {
            return;                 // it has ended, or is committed
        }
    }

    private async Task RemoveCandidateAsync(ChaosAct act, DeploymentResponse deployment, CancellationToken cancellationToken)
    {
        while ((await scene.Daemon.DeploymentAsync(deployment.Id, cancellationToken)).State is "queued" or "running")
        {
            var made = await scene.DockerLinesAsync(
                ["ps", "-q", "--filter", $"label={Labels.Deployment}={deployment.Id}", "--filter", $"label={Labels.Service}={ChaosStacks.App}"], cancellationToken);
            if (made.Length > 0)
            {
                // Once it has the traffic it is a replica like others.
                var live = (await scene.Daemon.DeploymentAsync(deployment.Id, cancellationToken)).Steps.Any(step => step.Name == "shift");
                var excuse = live ? scene.Excuses.Open(ExcuseKind.NoReplica, act.Kind, ChaosStacks.Main) : null;
                await blows.RemoveContainerAsync(made[act.Pick % made.Length], cancellationToken);
                if (excuse is not null) scene.Excuses.End(excuse);
                return;
            }

            await Task.Delay(TimeSpan.FromMilliseconds(50), scene.Time, cancellationToken);
        }
    }
}
