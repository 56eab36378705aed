using System.Globalization;
using System.Net.Http.Json;
using Orchestrator.Benchmarks.Deploy;
using Orchestrator.Benchmarks.Measuring;

namespace Orchestrator.Benchmarks.Garden;

/// <summary>The demo stack as it is, with PostgreSQL and Redis, behind the proxy: 100 clients read gardens without a pause.</summary>
internal sealed class GardenBenchmark(int seconds)
{
    private const int Clients = 100;
    private const int Gardens = 25;
    private const string Path = "/api/gardens";
    private const string Host = "garden.localhost";

    public async Task<Findings> RunAsync(CancellationToken cancellationToken)
    {
        Progress.Say("garden: starting the demo stack");
        await Packages.EnsureAsync(["wrk"], cancellationToken);
        await Images.EnsureAsync(cancellationToken);
        await using var daemon = await RunningDaemon.StartAsync(cancellationToken);
        var directory = System.IO.Path.Combine(Images.Repository, "config", "garden");
        var compose = await File.ReadAllTextAsync(System.IO.Path.Combine(directory, "compose.yml"), cancellationToken);
        await daemon.ApplyAsync(compose.Replace("\nname: garden\n", $"\nname: bench{Guid.NewGuid().ToString("N")[..6]}\n", StringComparison.Ordinal), directory, cancellationToken);
        await PlantAsync(daemon.Edge, cancellationToken);

        var scratch = Directory.CreateTempSubdirectory("basmalin-bench-").FullName;
        try
        {
            var wrk = new Wrk(scratch);
            Progress.Say("garden: warming up");
            await wrk.RunAsync(new Uri(daemon.Edge, Path), Host, Clients, Math.Max(1, seconds / 6), cancellationToken);
            Progress.Say($"garden: {Clients} clients for {seconds} s");
            return Report(await wrk.RunAsync(new Uri(daemon.Edge, Path), Host, Clients, seconds, cancellationToken));
        }
        finally
        {
            Directory.Delete(scratch, recursive: true);
        }
    }

    private static async Task PlantAsync(Uri edge, CancellationToken cancellationToken)
    {
        using var client = new HttpClient { BaseAddress = edge, DefaultRequestHeaders = { Host = Host } };
        for (var i = 1; i <= Gardens; i++)
        {
            using var answer = await client.PostAsJsonAsync(Path, new { name = $"Garden {i}", location = "Baščaršija", areaSquareMetres = 12.5 * i }, cancellationToken);
            answer.EnsureSuccessStatusCode();
        }
    }

    private Findings Report(WrkResult result)
    {
        var ratio = (double)result.Failed / Math.Max(1, result.Requests);
        var table = new Table($"GardenApp through the proxy: {Clients} clients on {Path}",
            ["requests", "requests/s", "failed", "p50", "p95", "p99"],
            [[
                string.Create(CultureInfo.InvariantCulture, $"{result.Requests:#,0}"),
                string.Create(CultureInfo.InvariantCulture, $"{result.PerSecond:#,0}"),
                string.Create(CultureInfo.InvariantCulture, $"{result.Failed:#,0}"),
                Milliseconds(result.P50),
                Milliseconds(result.P95),
                Milliseconds(result.P99),
            ]])
        {
            Note = $"{seconds} s, closed loop (wrk), a page of 20 of {Gardens} gardens; config/garden/compose.yml as it is: two replicas, PostgreSQL, Redis. All of it on this machine.",
        };
        return new Findings(
            "garden",
            result,
            [
                new Goal($"p95 of {Clients} clients on GardenApp's {Path}", "under 200 ms", Milliseconds(result.P95), result.P95 < 200),
                new Goal("errors among their requests", "under 1 %", string.Create(CultureInfo.InvariantCulture, $"{ratio:0.00 %}"), ratio < 0.01),
            ],
            [table]);
    }

    private static string Milliseconds(double value) => string.Create(CultureInfo.InvariantCulture, $"{value:0.0} ms");
}
