using System.Collections.Immutable;
using System.Globalization;
using System.Text.RegularExpressions;
using Orchestrator.Benchmarks.Load;
using Orchestrator.Benchmarks.Measuring;
using Orchestrator.Deployments;
using Orchestrator.Docker;

namespace Orchestrator.Benchmarks.Deploy;

/// <summary>A real daemon on a real engine replaces a real application and brings it back, again and again, with users on it all the time.</summary>
internal sealed partial class DeployBenchmark(int rounds, TimeProvider time)
{
    private const int Rate = 50;
    private const string Service = "app";
    private const string Old = "1.0.0";
    private const string New = "2.0.0";
    private readonly string _stack = $"bench{Guid.NewGuid().ToString("N")[..6]}";

    private string Host => $"{_stack}.example";

    public async Task<Findings> RunAsync(CancellationToken cancellationToken)
    {
        Progress.Say("deploy: starting the daemon and the first version");
        await Images.EnsureAsync(cancellationToken);
        await using var daemon = await RunningDaemon.StartAsync(cancellationToken);
        await daemon.ApplyAsync(Compose(), Path.GetTempPath(), cancellationToken);
        await using var load = BackgroundLoad.Start(daemon.Edge, Host, Rate);
        using var onlooker = new Onlooker(daemon.Edge, Host, time);
        var measured = new List<DeployRound>();

        // One more than is counted: the first compiles the code.
        for (var round = 0; round <= rounds; round++)
        {
            Progress.Say(round == 0 ? "deploy: warming up" : $"deploy: round {round} of {rounds}");
            var result = await RoundAsync(daemon, onlooker, cancellationToken);
            if (round > 0)
                measured.Add(result);
        }

        var seen = await load.StopAsync(cancellationToken);
        Progress.Say("deploy: swapping among 1,000 stacks");
        return Report([.. measured], seen, SwapCost.Measure(1, time), SwapCost.Measure(1000, time));
    }

    private async Task<DeployRound> RoundAsync(RunningDaemon daemon, Onlooker onlooker, CancellationToken cancellationToken)
    {
        var container = await StartAloneAsync(daemon, cancellationToken);
        var images = ImmutableSortedDictionary<string, string>.Empty.Add(Service, Images.Garden(New));
        var started = time.GetTimestamp();
        var deployment = await daemon.RunAsync(new DeploymentRequest { Stack = _stack, Kind = DeploymentKind.Deploy, Images = images }, cancellationToken);
        var total = time.GetElapsedTime(started);
        await onlooker.SeesAsync(New, cancellationToken);

        var before = deployment.Before?.CurrentRelease;
        var sight = Task.Run(() => onlooker.SeesAsync(Old, cancellationToken), cancellationToken);
        started = time.GetTimestamp();
        var back = await daemon.RunAsync(new DeploymentRequest { Stack = _stack, Kind = DeploymentKind.Rollback, ToRelease = before }, cancellationToken);
        var backTotal = time.GetElapsedTime(started);
        var rollback = time.GetElapsedTime(started, await sight);
        if (back.Plan?.WarmSwap != true)
            throw new InvalidOperationException("The previous colour was not warm any more.");

        return new DeployRound(
            total.TotalMilliseconds, container, Steps(deployment), SwapOf(deployment), rollback.TotalMilliseconds, backTotal.TotalMilliseconds, SwapOf(back))
        {
            RollbackSteps = Steps(back),
        };
    }

    /// <summary>What the engine needs for a container of this image, with the same settings and network, and nobody around it.</summary>
    private async Task<double> StartAloneAsync(RunningDaemon daemon, CancellationToken cancellationToken)
    {
        var state = await daemon.Journal.FindStackAsync(_stack, cancellationToken) ?? throw new InvalidOperationException("The stack is not in the journal.");
        var release = await daemon.Journal.FindReleaseAsync(_stack, state.CurrentRelease, cancellationToken) ?? throw new InvalidOperationException("The release is not in the journal.");
        var spec = release.Stack.Services.Single();
        var request = ContainerRequests.For(spec, new Placement(release, null, 1, release.Deployment), []);
        request = request with { Name = $"{_stack}-alone", Labels = request.Labels.SetItem(Labels.Service, "alone") };
        var started = time.GetTimestamp();
        var id = await daemon.Engine.CreateAsync(request, cancellationToken);
        await daemon.Engine.StartAsync(id, cancellationToken);
        var took = time.GetElapsedTime(started);
        await daemon.Engine.RemoveAsync(id, TimeSpan.Zero, cancellationToken);
        return took.TotalMilliseconds;
    }

    private static ImmutableSortedDictionary<StepKind, double> Steps(Deployment deployment) =>
        deployment.Steps.ToImmutableSortedDictionary(step => step.Name, step => ((step.EndedAt ?? step.StartedAt) - step.StartedAt).TotalMilliseconds);

    private static double SwapOf(Deployment deployment)
    {
        var detail = deployment.Steps.Single(step => step.Name == StepKind.Shift).Detail ?? string.Empty;
        return SwapTime().Match(detail) is { Success: true } match
            ? double.Parse(match.Groups[1].ValueSpan, CultureInfo.InvariantCulture)
            : throw new InvalidOperationException($"The shift step does not say how long the swap took: '{detail}'.");
    }

    private static Findings Report(ImmutableArray<DeployRound> rounds, LoadSummary load, Samples swapOne, Samples swapThousand)
    {
        var beyond = Samples.Of(rounds.Select(round => round.Beyond));
        var swap = Samples.Of(rounds.SelectMany(round => new[] { round.Swap, round.RollbackSwap }));
        var rollback = Samples.Of(rounds.Select(round => round.Rollback));
        return new Findings(
            "deploy",
            new { Rounds = rounds, Load = load, SwapOfOne = swapOne, SwapOfThousand = swapThousand },
            [
                new Goal("deployment beyond the container's own start-up and gate", "under 1.5 s", Milliseconds(beyond.Median), beyond.Median < 1500),
                new Goal("swap itself", "under 5 ms", Milliseconds(swap.Median), swap.Median < 5),
                new Goal("swap itself, among 1,000 stacks", "under 5 ms", Milliseconds(swapThousand.Median), swapThousand.Median < 5),
                new Goal("warm rollback, as a client sees it", "under 100 ms", Milliseconds(rollback.Median), rollback.Median < 100),
                new Goal("failed requests meanwhile", "0", string.Create(CultureInfo.InvariantCulture, $"{load.Failed} of {load.Sent:#,0}"), load is { Failed: 0, Sent: > 0 }),
            ],
            [DeploymentTable(rounds, load), RollbackTable(rounds, swapOne, swapThousand)]);
    }

    private static Table DeploymentTable(ImmutableArray<DeployRound> rounds, LoadSummary load) => new(
        "A deployment",
        ["", "median", "lowest", "highest"],
        [
            Row("from the request to the commit", rounds.Select(round => round.Total)),
            .. StepRows(rounds, round => round.Steps),
            Row("· between the steps: the journal, above all", rounds.Select(round => round.Between)),
            Row("creating and starting such a container by itself", rounds.Select(round => round.Container)),
            Row("from the request to the commit, beyond that and the gate", rounds.Select(round => round.Beyond)),
        ])
    {
        Note = string.Create(
            CultureInfo.InvariantCulture,
            $"{rounds.Length} rounds of deploying {New} over {Old} and rolling back, on a real engine. Gate: HTTP every 100 ms, 2 successes, no stability window; no bake. "
            + $"Load meanwhile: {Rate} requests/s of all kinds, {load.Sent:#,0} in all, {load.Failed} failed. Steps below 0.5 ms are left out."),
    };

    private static Table RollbackTable(ImmutableArray<DeployRound> rounds, Samples swapOne, Samples swapThousand) => new(
        "A warm rollback, and the swap",
        ["", "median", "lowest", "highest"],
        [
            Row("from the request to the first old answer that a client has", rounds.Select(round => round.Rollback)),
            Row("from the request to the commit", rounds.Select(round => round.RollbackTotal)),
            .. StepRows(rounds, round => round.RollbackSteps),
            Row("· between the steps: the journal, above all", rounds.Select(round => round.RollbackBetween)),
            Row("the swap within the shift, of deployments and rollbacks", rounds.SelectMany(round => new[] { round.Swap, round.RollbackSwap })),
            Row("the route table's swap alone, one stack", swapOne),
            Row("the route table's swap alone, among 1,000 stacks", swapThousand),
        ])
    {
        Note = "The client asks without a pause, over one connection. The swap alone: 200 times, after as many for the compiler.",
    };

    private static IEnumerable<ImmutableArray<string>> StepRows(ImmutableArray<DeployRound> rounds, Func<DeployRound, ImmutableSortedDictionary<StepKind, double>> stepsOf) =>
        from step in stepsOf(rounds[0]).Keys
        let samples = Samples.Of(rounds.Select(round => stepsOf(round)[step]))
        where samples.Median >= 0.5
        select Row($"· {step.ToString().ToLowerInvariant()}", samples);

    private static ImmutableArray<string> Row(string name, IEnumerable<double> milliseconds) => Row(name, Samples.Of(milliseconds));

    private static ImmutableArray<string> Row(string name, Samples samples) => [name, Milliseconds(samples.Median), Milliseconds(samples.Low), Milliseconds(samples.High)];

    private static string Milliseconds(double value) => value < 10 ? string.Create(CultureInfo.InvariantCulture, $"{value:0.00} ms") : string.Create(CultureInfo.InvariantCulture, $"{value:#,0} ms");

    private string Compose() => $$"""
        name: {{_stack}}
        services:
          {{Service}}:
            image: {{Images.Garden(Old)}}
            stop_grace_period: 5s
            x-basmalin:
              route: { hosts: [{{Host}}], port: 3000 }
              gate: { http: /up, expect: 200, interval: 100ms, timeout: 2s, successes: 2, stable: 0s, deadline: 30s }
              bake: { for: 0s }
              warm: 10m
        """;

    [GeneratedRegex(@" in ([\d.]+) ms$")]
    private static partial Regex SwapTime();
}
