using System.Collections.Immutable;
using System.CommandLine;
using Orchestrator.Benchmarks.Backup;
using Orchestrator.Benchmarks.Deploy;
using Orchestrator.Benchmarks.Edge;
using Orchestrator.Benchmarks.Garden;
using Orchestrator.Benchmarks.Measuring;
using Orchestrator.Benchmarks.Start;

namespace Orchestrator.Benchmarks;

/// <summary>The verbs that measure.</summary>
internal static class BenchCommand
{
    public static IEnumerable<Command> CreateAll() =>
    [
        Create("edge", "What a request costs through the edge, against bare YARP, nginx, HAProxy and Caddy.", Edge),
        Create("deploy", "Deployments and warm rollbacks of a real application, under load.", Deploy),
        Create("garden", "GardenApp with its databases, read by 100 clients through the edge.", Garden),
        Create("start", "How fast the published program starts, and what it takes when idle.", Start),
        Create("stacks", "What the daemon takes with one stack, and how soon fifty are served after a kill.", Stacks),
        Create("steady", "What swaps do to those who are being served, and what idle WebSockets take.", Steady),
        Create("backup", "PostgreSQL copied and restored, against pg_dump | gzip; memory by size; what the continuous log costs.", Backup),
        Create("all", "All of these.", Start, Stacks, Edge, Steady, Deploy, Garden),
        Create("soak", "Ten minutes of load with a swap every five seconds.", Soak),
    ];

    private static Task<Findings> Start(bool quick, CancellationToken cancellationToken) =>
        new StartBenchmark(quick ? 1 : 10, TimeSpan.FromSeconds(quick ? 2 : 20), TimeProvider.System).RunAsync(cancellationToken);

    private static Task<Findings> Stacks(bool quick, CancellationToken cancellationToken) =>
        new StacksBenchmark(quick ? 3 : 50, quick ? 1 : 7, TimeSpan.FromSeconds(quick ? 2 : 40), TimeSpan.FromSeconds(quick ? 2 : 30), TimeProvider.System).RunAsync(cancellationToken);

    private static Task<Findings> Edge(bool quick, CancellationToken cancellationToken) => new EdgeBenchmark(quick ? EdgePlan.Quick : EdgePlan.Full, TimeProvider.System).RunAsync(cancellationToken);

    private static Task<Findings> Steady(bool quick, CancellationToken cancellationToken) =>
        new SteadyBenchmark(quick ? EdgePlan.Quick : EdgePlan.Full, TimeProvider.System).RunAsync(cancellationToken);

    private static Task<Findings> Soak(bool quick, CancellationToken cancellationToken) => new SoakBenchmark(TimeSpan.FromSeconds(quick ? 15 : 600), TimeProvider.System).RunAsync(cancellationToken);

    private static Task<Findings> Deploy(bool quick, CancellationToken cancellationToken) => new DeployBenchmark(quick ? 1 : 5, TimeProvider.System).RunAsync(cancellationToken);

    private static Task<Findings> Garden(bool quick, CancellationToken cancellationToken) => new GardenBenchmark(quick ? 2 : 30).RunAsync(cancellationToken);

    private static Task<Findings> Backup(bool quick, CancellationToken cancellationToken) => new BackupBenchmark(quick, TimeProvider.System).RunAsync(cancellationToken);

    private static Command Create(string name, string description, params Func<bool, CancellationToken, Task<Findings>>[] benchmarks)
    {
        var json = new Option<FileInfo?>("--json") { Description = "A file for the numbers" };
        var markdown = new Option<FileInfo?>("--md") { Description = "A document for the tables; one with marks keeps what is around them" };
        var quick = new Option<bool>("--quick") { Description = "Only shows that it runs" };
        var verb = new Command(name, description) { json, markdown, quick };
        verb.SetAction(async (parsed, cancellationToken) =>
        {
            try
            {
                var report = await MeasureAsync(benchmarks, parsed.GetValue(quick), cancellationToken);
                Console.Out.WriteLine(report.ToText());
                if (parsed.GetValue(json) is { } numbers)
                    await File.WriteAllTextAsync(numbers.FullName, report.ToJson(), cancellationToken);
                if (parsed.GetValue(markdown) is { } document)
                    report.WriteMarkdown(document.FullName);
                return 0;
            }
            catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
            {
                Console.Error.WriteLine("stopped before the end; nothing is reported");
                return 1;
            }
        });
        return verb;
    }

    private static async Task<Report> MeasureAsync(Func<bool, CancellationToken, Task<Findings>>[] benchmarks, bool quick, CancellationToken cancellationToken)
    {
        var machine = Machine.Look(TimeProvider.System);
        var before = Machine.Ticks();
        var findings = ImmutableArray.CreateBuilder<Findings>();
        foreach (var benchmark in benchmarks)
            findings.Add(await benchmark(quick, cancellationToken));

        var after = Machine.Ticks();
        Progress.Clear();
        return new Report(machine with { Steal = Math.Round((after.Stolen - before.Stolen) / Math.Max(1, after.All - before.All), 4) }, findings.ToImmutable());
    }
}
