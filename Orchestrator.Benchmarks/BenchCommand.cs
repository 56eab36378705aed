using System.Collections.Immutable;
using System.CommandLine;
using Orchestrator.Benchmarks.Backup;
using Orchestrator.Benchmarks.Chaos;
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
        Create("copies", "A Redis and a volume copied, against redis-cli --rdb and tar | gzip.", Copies),
        Create("all", "All of these.", Start, Stacks, Edge, Steady, Deploy, Garden),
        Create("chaos", "Deployments, kills and removals as a seed says, under load, on an engine of its own (root); what must hold is checked throughout.", Chaos),
        Create("soak", "Ten minutes of load with a swap every five seconds.", Soak),
    ];

    private static Task<Findings> Start(Ask ask, CancellationToken cancellationToken) =>
        new StartBenchmark(ask.Quick ? 1 : 10, TimeSpan.FromSeconds(ask.Quick ? 2 : 20), TimeProvider.System).RunAsync(cancellationToken);

    private static Task<Findings> Stacks(Ask ask, CancellationToken cancellationToken) =>
        new StacksBenchmark(ask.Quick ? 3 : 50, ask.Quick ? 1 : 7, TimeSpan.FromSeconds(ask.Quick ? 2 : 600), TimeSpan.FromSeconds(ask.Quick ? 2 : 30), TimeProvider.System).RunAsync(cancellationToken);

    private static Task<Findings> Edge(Ask ask, CancellationToken cancellationToken) => new EdgeBenchmark(ask.Quick ? EdgePlan.Quick : EdgePlan.Full, TimeProvider.System).RunAsync(cancellationToken);

    private static Task<Findings> Steady(Ask ask, CancellationToken cancellationToken) =>
        new SteadyBenchmark(ask.Quick ? EdgePlan.Quick : EdgePlan.Full, TimeProvider.System).RunAsync(cancellationToken);

    private static Task<Findings> Soak(Ask ask, CancellationToken cancellationToken) => new SoakBenchmark(TimeSpan.FromSeconds(ask.Quick ? 15 : 600), TimeProvider.System).RunAsync(cancellationToken);

    private static Task<Findings> Deploy(Ask ask, CancellationToken cancellationToken) => new DeployBenchmark(ask.Quick ? 1 : 5, TimeProvider.System).RunAsync(cancellationToken);

    private static Task<Findings> Garden(Ask ask, CancellationToken cancellationToken) => new GardenBenchmark(ask.Quick ? 2 : 30).RunAsync(cancellationToken);

    private static Task<Findings> Backup(Ask ask, CancellationToken cancellationToken) => new BackupBenchmark(ask.Quick, ask.Megabytes, TimeProvider.System).RunAsync(cancellationToken);

    private static Task<Findings> Copies(Ask ask, CancellationToken cancellationToken) => new CopiesBenchmark(ask.Quick, TimeProvider.System).RunAsync(cancellationToken);

    private static Task<Findings> Chaos(Ask ask, CancellationToken cancellationToken) => new ChaosBenchmark(TimeSpan.FromMinutes(ask.Quick ? 1 : ask.Minutes), ask.Seed, ask.Program, TimeProvider.System).RunAsync(cancellationToken);

    private static Command Create(string name, string description, params Func<Ask, CancellationToken, Task<Findings>>[] benchmarks)
    {
        var json = new Option<FileInfo?>("--json") { Description = "A file for the numbers" };
        var markdown = new Option<FileInfo?>("--md") { Description = "A document for the tables; one with marks keeps what is around them" };
        var quick = new Option<bool>("--quick") { Description = "Only shows that it runs" };
        var size = new Option<int?>("--size") { Description = "Of backups: one database of about so many MB, and one round, in place of three and several" };
        size.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<int?>() is < 24 or > 100_000) result.AddError("--size is from 24 to 100000, in MB");
        });
        var verb = new Command(name, description) { json, markdown, quick };
        if (name == "backup") verb.Add(size);
        var minutes = new Option<int>("--minutes") { Description = "Of chaos: for how long; what was begun is let end", DefaultValueFactory = _ => 15 };
        var seed = new Option<int>("--seed") { Description = "Of chaos: the same seed is the same sequence of acts", DefaultValueFactory = _ => 1 };
        minutes.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<int>() is < 1 or > 1440) result.AddError("--minutes is from 1 to 1440");
        });
        var program = new Option<FileInfo?>("--program") { Description = "Of chaos: the daemon; left out, it is published first" };
        if (name == "chaos")
        {
            verb.Add(program);
            verb.Add(minutes);
            verb.Add(seed);
        }

        verb.SetAction(async (parsed, cancellationToken) =>
        {
            try
            {
                var ask = new Ask(parsed.GetValue(quick), name == "backup" ? parsed.GetValue(size) : null)
                {
                    Minutes = name == "chaos" ? parsed.GetValue(minutes) : 0,
                    Seed = name == "chaos" ? parsed.GetValue(seed) : 0,
                    Program = name == "chaos" ? parsed.GetValue(program)?.FullName : null,
                };
                var report = await MeasureAsync(benchmarks, ask, cancellationToken);
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

    private static async Task<Report> MeasureAsync(Func<Ask, CancellationToken, Task<Findings>>[] benchmarks, Ask ask, CancellationToken cancellationToken)
    {
        var machine = Machine.Look(TimeProvider.System);
        var before = Machine.Ticks();
        var findings = ImmutableArray.CreateBuilder<Findings>();
        foreach (var benchmark in benchmarks)
            findings.Add(await benchmark(ask, cancellationToken));

        var after = Machine.Ticks();
        Progress.Clear();
        return new Report(machine with { Steal = Math.Round((after.Stolen - before.Stolen) / Math.Max(1, after.All - before.All), 4) }, findings.ToImmutable());
    }

    /// <param name="Quick">It is only to be shown that it runs.</param>
    /// <param name="Megabytes">Of the database; null: as it is planned.</param>
    private sealed record Ask(bool Quick, int? Megabytes)
    {
        /// <summary>How long chaos lasts.</summary>
        public int Minutes { get; init; }

        public int Seed { get; init; }

        /// <summary>The daemon's program; null: it is published.</summary>
        public string? Program { get; init; }
    }
}
