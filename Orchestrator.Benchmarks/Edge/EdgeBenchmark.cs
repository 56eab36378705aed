using System.Collections.Immutable;
using System.Globalization;
using Orchestrator.Benchmarks.Measuring;

namespace Orchestrator.Benchmarks.Edge;

/// <summary>
/// What a request costs on its way through each proxy. All have the same backend and the same load, and take turns, so that whatever else the
/// machine does hits all alike; costs are compared round by round.
/// </summary>
internal sealed class EdgeBenchmark(EdgePlan plan, TimeProvider time)
{
    private const double Allowed = 1.10;
    private const double AllowedToCaddy = 0.50;
    private const double AllowedToGrow = 1.05;
    private const string Caddy = "Caddy";
    private const string One = "BasMalin, 1 route";
    private const string Thousand = "BasMalin, 1,000 routes";
    private const string Application = "bare YARP forwarder, ASP.NET Core";
    private const string Kestrel = "bare YARP forwarder, Kestrel alone";
    private const string Direct = "no proxy";

    public async Task<Findings> RunAsync(CancellationToken cancellationToken)
    {
        var versions = await Packages.EnsureAsync(["wrk", .. DebianProxies.PackageNames], cancellationToken);
        var directory = Directory.CreateTempSubdirectory("basmalin-bench-").FullName;
        var contenders = new List<Contender>();
        try
        {
            Progress.Say("edge: starting the proxies");
            await StartAsync(contenders, directory, cancellationToken);
            var wrk = new Wrk(directory);
            var usual = Report(contenders, await MeasureAsync(contenders, wrk, cancellationToken), versions);
            var others = new ShapeBenchmark(plan, [.. contenders.Where(contender => contender.TlsPort > 0)], wrk);
            var (table, numbers) = await others.RunAsync(One, cancellationToken);
            return usual with
            {
                Numbers = new { usual = usual.Numbers, others = numbers },
                Goals = [.. usual.Goals, .. Shape.Others.SelectMany(shape => GoalsOf(others, shape))],
                Tables = [.. usual.Tables, table],
            };
        }
        finally
        {
            foreach (var contender in contenders)
                await contender.DisposeAsync();
            Directory.Delete(directory, recursive: true);
        }
    }

    private async Task StartAsync(List<Contender> contenders, string directory, CancellationToken cancellationToken)
    {
        var certificate = await BenchCertificate.CreateAsync(Path.Combine(directory, "certificates"), time, cancellationToken);
        contenders.Add(await Contender.StartOwnAsync(Direct, ServeCommand.Backend, 0, 0, null, cancellationToken));
        var backend = contenders[0].Port;
        contenders.Add(await Contender.StartOwnAsync(One, ServeCommand.Edge, backend, 1, certificate, cancellationToken));
        contenders.Add(await Contender.StartOwnAsync(Thousand, ServeCommand.Edge, backend, 1000, null, cancellationToken));
        contenders.Add(await Contender.StartOwnAsync(Application, ServeCommand.ApplicationForwarder, backend, 0, null, cancellationToken));
        contenders.Add(await Contender.StartOwnAsync(Kestrel, ServeCommand.KestrelForwarder, backend, 0, certificate, cancellationToken));

        var others = new DebianProxies(directory, backend, certificate);
        contenders.Add(await others.StartNginxAsync(cancellationToken));
        contenders.Add(await others.StartHaproxyAsync(cancellationToken));
        contenders.Add(await others.StartCaddyAsync(cancellationToken));
    }

    private async Task<ILookup<string, EdgeSample>> MeasureAsync(List<Contender> contenders, Wrk wrk, CancellationToken cancellationToken)
    {
        foreach (var contender in contenders)
        {
            Progress.Say($"edge: warming up: {contender.Name}");
            await wrk.RunAsync(contender.Address, contender.Host, plan.Connections, plan.WarmUpSeconds, cancellationToken);
        }

        var samples = new List<(string Name, EdgeSample Sample)>();
        for (var round = 1; round <= plan.Rounds; round++)
        {
            // To and fro: a neighbour that comes or goes in the middle of a round favours nobody in the long run.
            foreach (var contender in round % 2 == 1 ? contenders : Enumerable.Reverse(contenders))
            {
                Progress.Say($"edge: round {round} of {plan.Rounds}: {contender.Name}");
                samples.Add((contender.Name, await SampleAsync(contender, wrk, cancellationToken)));
            }
        }

        Progress.Clear();
        return samples.ToLookup(entry => entry.Name, entry => entry.Sample);
    }

    private async Task<EdgeSample> SampleAsync(Contender contender, Wrk wrk, CancellationToken cancellationToken)
    {
        var allocated = await contender.AllocatedAsync(cancellationToken);
        var cpu = contender.Cpu;
        var load = await wrk.RunAsync(contender.Address, contender.Host, plan.Connections, plan.Seconds, cancellationToken);
        return new EdgeSample(load, contender.Cpu - cpu, await contender.AllocatedAsync(cancellationToken) - allocated);
    }

    private Findings Report(List<Contender> contenders, ILookup<string, EdgeSample> samples, IReadOnlyList<string> versions)
    {
        var lines = contenders.Select(contender => Line(contender.Name, samples)).ToImmutableArray();
        var table = new Table(
            "A request through the proxy",
            ["proxy", "CPU per request", "BasMalin's cost is", "requests/s", "p50", "p99", "allocated"],
            [.. lines.Select(Row)])
        {
            Note = string.Create(
                CultureInfo.InvariantCulture,
                $"Medians of {plan.Rounds} rounds of {plan.Seconds} s each, all taking turns; in brackets the lowest and highest round. GET of 1 KiB, {plan.Connections} kept-alive connections, closed loop (wrk). "
                + $"nginx {versions[1]}, HAProxy {versions[2]}, Caddy {versions[3]}. Failed requests, all together: {lines.Sum(line => line.Failed)}."),
        };
        var grown = 1 / RatioTo(lines, Thousand);
        return new Findings(
            "edge",
            lines,
            [
                GoalOf("request", Application, RatioTo(lines, Application), Allowed),
                GoalOf("request", Kestrel, RatioTo(lines, Kestrel), Allowed),
                GoalOf("request", Caddy, RatioTo(lines, Caddy), AllowedToCaddy),
                GoalOf("request with 1,000 routes", "one with 1", grown, AllowedToGrow),
            ],
            [table]);
    }

    private static IEnumerable<Goal> GoalsOf(ShapeBenchmark others, Shape shape) =>
    [
        GoalOf(shape.Name, Kestrel, others.RatioTo(One, Kestrel, shape), Allowed),
        GoalOf(shape.Name, Caddy, others.RatioTo(One, Caddy, shape), AllowedToCaddy),
    ];

    private static EdgeLine Line(string name, ILookup<string, EdgeSample> samples)
    {
        var own = samples[One].ToList();
        var these = samples[name].ToList();
        var proxy = name != Direct;
        return new EdgeLine(
            name,
            proxy ? Samples.Of(these.Select(sample => sample.CpuMicroseconds)) : null,
            proxy ? Samples.Of(these.Select((sample, round) => own[round].CpuMicroseconds / sample.CpuMicroseconds)) : null,
            Samples.Of(these.Select(sample => sample.Load.PerSecond)),
            Samples.Of(these.Select(sample => sample.Load.P50)),
            Samples.Of(these.Select(sample => sample.Load.P99)),
            proxy && these.All(sample => sample.Allocated is not null) ? Samples.Of(these.Select(sample => (double)(sample.Allocated ?? 0) / sample.Load.Requests)) : null,
            these.Sum(sample => sample.Load.Failed));
    }

    private static ImmutableArray<string> Row(EdgeLine line) =>
    [
        line.Name,
        line.CpuMicroseconds is { } cpu ? string.Create(CultureInfo.InvariantCulture, $"{cpu.Median:0.0} µs") : "",
        line.Ratio is { } ratio && line.Name != One ? string.Create(CultureInfo.InvariantCulture, $"{ratio.Median:0.00} × ({ratio.Low:0.00}–{ratio.High:0.00})") : "",
        string.Create(CultureInfo.InvariantCulture, $"{line.PerSecond.Median:#,0}"),
        string.Create(CultureInfo.InvariantCulture, $"{line.P50.Median:0.00} ms"),
        string.Create(CultureInfo.InvariantCulture, $"{line.P99.Median:0.00} ms"),
        line.AllocatedBytes is { } bytes ? string.Create(CultureInfo.InvariantCulture, $"{bytes.Median:#,0} B") : "",
    ];

    private static double RatioTo(ImmutableArray<EdgeLine> lines, string other) =>
        lines.First(line => line.Name == other).Ratio?.Median ?? throw new InvalidOperationException($"{other} was not measured.");

    private static Goal GoalOf(string what, string other, double ratio, double allowed) => new(
        $"cost of: {what}, against {other}",
        string.Create(CultureInfo.InvariantCulture, $"at most {allowed:0.00} ×"),
        string.Create(CultureInfo.InvariantCulture, $"{ratio:0.00} ×"),
        ratio <= allowed);
}
