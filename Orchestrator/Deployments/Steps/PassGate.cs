using System.Collections.Immutable;
using Orchestrator.Docker;
using Orchestrator.Health;
using Orchestrator.Planning;
using Orchestrator.Stacks;

namespace Orchestrator.Deployments.Steps;

/// <summary>Every replica of the candidate passes its gate, all at once; the first that cannot ends the step for all.</summary>
public sealed class PassGate(StackContainers containers, StackTraffic traffic, SideColours sides, Gates gates) : IDeploymentStep
{
    public StepKind Kind => StepKind.Gate;

    public async Task<StepFailure?> ExecuteAsync(DeploymentWork work, CancellationToken cancellationToken)
    {
        if (work.Target is not { } release) return null;

        var passed = new List<string>();
        foreach (var (action, spec) in work.Coloured)
        {
            var generation = work.CandidateOf(action);
            if (NoPort(release, spec) is { } unknown) return unknown;

            var failure = work.Plan.WarmSwap
                ? await AskOnceAsync(release, spec, generation, cancellationToken)
                : await PassAsync(work, release, spec, generation, cancellationToken);
            if (failure is not null) return failure;

            var replicas = await containers.OfAsync(work.StackName, spec.Name, generation, cancellationToken);
            work.Candidates = work.Candidates.SetItem(spec.Name, traffic.UpstreamOf(release.Stack, spec, generation, replicas));
            passed.Add($"{spec.Name} {replicas.Length} of {spec.Replicas} healthy");
        }

        sides.ShowCandidates(work);
        work.Detail = string.Join(", ", passed);
        return null;
    }

    public async Task UndoAsync(DeploymentWork work, CancellationToken cancellationToken)
    {
        await sides.HideAsync(work.StackName, cancellationToken);
        if (work.Plan.WarmSwap) await sides.ShowWarmAsync(work.StackName, work.State.Warm, cancellationToken);
    }

    private async Task<StepFailure?> PassAsync(DeploymentWork work, Release release, ServiceSpec spec, Generation generation, CancellationToken cancellationToken)
    {
        var replicas = await containers.OfAsync(work.StackName, spec.Name, generation, cancellationToken);
        if (replicas.Length < spec.Replicas) return Missing(spec, replicas.Length);

        using var first = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var waits = replicas.Select(async replica =>
        {
            var result = await gates.WaitAsync(release, spec, replica, new Relay(work, replica.Name), first.Token);
            return (Replica: replica, Result: result);
        }).ToList();
        var failed = await FirstFailureAsync(waits, first);
        return failed is null ? null : await DescribeAsync(work, spec, failed.Value.Replica, failed.Value.Result, cancellationToken);
    }

    private static StepFailure Missing(ServiceSpec spec, int present) => new(
        FailureReason.ContainerExited,
        $"{present} of {spec.Replicas} replicas of {spec.Name} are there: the others were removed by somebody else.",
        "Nobody but BasMalin may remove its containers while a deployment runs. The old version is still serving.");

    private static async Task<(ObservedContainer Replica, GateResult Result)?> FirstFailureAsync(
        List<Task<(ObservedContainer Replica, GateResult Result)>> waits, CancellationTokenSource others)
    {
        (ObservedContainer, GateResult)? failed = null;
        await foreach (var wait in Task.WhenEach(waits))
        {
            if (failed is not null) continue;                       // let go: their results do not matter any more
            var (replica, result) = await wait;
            if (result.Healthy) continue;
            failed = (replica, result);
            await others.CancelAsync();
        }

        return failed;
    }

    private async Task<StepFailure> DescribeAsync(DeploymentWork work, ServiceSpec spec, ObservedContainer replica, GateResult result, CancellationToken cancellationToken)
    {
        var words = result.Exit is { Gone: true } ? "they went with it" : await containers.LastWordsAsync(replica.Id, cancellationToken);
        var hint = ProbeHints.FromOutput(words) is { } cause && result.Exit is not null ? cause : result.Hint ?? ProbeHints.FromOutput(words);
        var probes = result.Last.IsEmpty ? "" : "\nLast probes:\n" + string.Join('\n', result.Last.Select(probe => $"  {probe.Detail}"));
        return new(
            result.Exit is null ? FailureReason.NeverHealthy : FailureReason.ContainerExited,
            $"{replica.Name}: {result.Reason}.{probes}\nLast lines of its log:\n{words}",
            $"{(hint is { } known ? ProbeHints.Sentence(known) + " " : "")}{(work.Current is null ? "Nothing was switched." : "The old version is still serving.")} 'basmalin history {work.StackName}' keeps this report.");
    }

    private async Task<StepFailure?> AskOnceAsync(Release release, ServiceSpec spec, Generation generation, CancellationToken cancellationToken)
    {
        var replicas = await containers.OfAsync(release.Stack.Name, spec.Name, generation, cancellationToken);
        if (replicas.Length < spec.Replicas) return Missing(spec, replicas.Length);

        foreach (var replica in replicas)
        {
            if (await gates.AskAsync(release, spec, replica, cancellationToken) is { Healthy: false } sick)
                return new(FailureReason.NeverHealthy, $"{replica.Name}, the warm replica, is not well: {sick.Detail}", $"Deploy release {release.Number} anew: basmalin rollback {release.Stack.Name} --to {release.Number} --force.");
        }

        return null;
    }

    private static StepFailure? NoPort(Release release, ServiceSpec spec)
    {
        var image = release.Images.GetValueOrDefault(spec.Name);
        var rule = Gates.RuleOf(spec, image);
        return spec.BasMalin?.Route is not null && StackTraffic.PortOf(spec, image) == 0 || rule is { Kind: GateKind.Http or GateKind.Tcp, Port: 0 } && StackTraffic.PortOf(spec, image) == 0
            ? new(FailureReason.InvalidRequest, $"It cannot be told which port of {spec.Name} is meant: it publishes and exposes none, and its image names none or several.", "Name it: x-basmalin: { route: { port: … } }.")
            : null;
    }

    private sealed class Relay(DeploymentWork work, string name) : IProgress<ProbeResult>
    {
        private string _last = "";

        public void Report(ProbeResult value)
        {
            if (value.Detail == _last) return;
            _last = value.Detail;
            work.Report($"{name}: {(value.Healthy ? "ok" : "not yet")}: {value.Detail}");
        }
    }
}
