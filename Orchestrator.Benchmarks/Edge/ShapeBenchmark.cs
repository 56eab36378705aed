using System.Collections.Immutable;
using System.Globalization;
using Orchestrator.Benchmarks.Measuring;

namespace Orchestrator.Benchmarks.Edge;

/// <summary>Other requests than the usual one: large, over a connection of its own, over TLS.</summary>
internal sealed class ShapeBenchmark(EdgePlan plan, IReadOnlyList<Contender> contenders, Wrk wrk)
{
    private readonly Dictionary<(string Shape, string Contender), List<EdgeSample>> _samples = [];

    /// <param name="own">The contender that is BasMalin.</param>
    public async Task<(Table Table, object Numbers)> RunAsync(string own, CancellationToken cancellationToken)
    {
        foreach (var shape in Shape.Others)
        {
            foreach (var contender in contenders) await LoadAsync(shape, contender, plan.WarmUpSeconds, cancellationToken);
            for (var round = 1; round <= plan.ShapeRounds; round++)
            {
                Progress.Say($"edge: {shape.Name}: round {round} of {plan.ShapeRounds}");
                foreach (var contender in round % 2 == 1 ? contenders : contenders.Reverse()) Keep(shape, contender, await SampleAsync(shape, contender, cancellationToken));
            }
        }

        Progress.Clear();
        var lines = (from shape in Shape.Others from contender in contenders select Line(shape.Name, contender.Name, own)).ToImmutableArray();
        return (Show(lines), lines);
    }

    public double RatioTo(string own, string other, Shape shape) => Ratio(shape.Name, own, other).Median;

    private void Keep(Shape shape, Contender contender, EdgeSample sample)
    {
        if (!_samples.TryGetValue((shape.Name, contender.Name), out var samples)) _samples[(shape.Name, contender.Name)] = samples = [];
        samples.Add(sample);
    }

    private async Task<EdgeSample> SampleAsync(Shape shape, Contender contender, CancellationToken cancellationToken)
    {
        var cpu = contender.Cpu;
        var load = await LoadAsync(shape, contender, plan.Seconds, cancellationToken);
        return new EdgeSample(load, contender.Cpu - cpu, null);
    }

    private Task<WrkResult> LoadAsync(Shape shape, Contender contender, int seconds, CancellationToken cancellationToken) =>
        wrk.RunAsync(contender.AddressFor(shape), contender.Host, plan.Connections, seconds, shape.NewConnections, cancellationToken);

    private Samples Ratio(string shape, string own, string other) =>
        Samples.Of(_samples[(shape, own)].Zip(_samples[(shape, other)], (mine, its) => mine.CpuMicroseconds / its.CpuMicroseconds));

    private ShapeLine Line(string shape, string contender, string own)
    {
        var these = _samples[(shape, contender)];
        return new ShapeLine(
            shape,
            contender,
            Samples.Of(these.Select(sample => sample.CpuMicroseconds)),
            contender == own ? null : Ratio(shape, own, contender),
            Samples.Of(these.Select(sample => sample.Load.PerSecond)),
            Samples.Of(these.Select(sample => sample.Load.P99)),
            these.Sum(sample => sample.Load.Failed));
    }

    private Table Show(ImmutableArray<ShapeLine> lines) => new(
        "Other requests through the proxy",
        ["request: proxy", "CPU per request", "BasMalin's cost is", "requests/s", "p99"],
        [.. lines.Select(Row)])
    {
        Note = string.Create(
            CultureInfo.InvariantCulture,
            $"Medians of {plan.ShapeRounds} rounds of {plan.Seconds} s each, as above. TLS as each chooses it for the same ECDSA P-256 certificate. Failed requests, all together: {lines.Sum(line => line.Failed)}."),
    };

    private static ImmutableArray<string> Row(ShapeLine line) =>
    [
        $"{line.Shape}: {line.Proxy}",
        string.Create(CultureInfo.InvariantCulture, $"{line.CpuMicroseconds.Median:#,0.0} µs"),
        line.Ratio is { } ratio ? string.Create(CultureInfo.InvariantCulture, $"{ratio.Median:0.00} × ({ratio.Low:0.00}–{ratio.High:0.00})") : "",
        string.Create(CultureInfo.InvariantCulture, $"{line.PerSecond.Median:#,0}"),
        string.Create(CultureInfo.InvariantCulture, $"{line.P99.Median:0.00} ms"),
    ];
}

/// <summary>One proxy and one kind of request over all rounds.</summary>
/// <param name="Ratio">BasMalin's cost to this one's, round by round; null: it is BasMalin.</param>
internal sealed record ShapeLine(string Shape, string Proxy, Samples CpuMicroseconds, Samples? Ratio, Samples PerSecond, Samples P99, long Failed);
