using System.Collections.Immutable;
using System.Globalization;
using Orchestrator.Benchmarks.Measuring;

namespace Orchestrator.Benchmarks.Edge;

/// <summary>Load without a pause and a swap every five seconds, for as long as is asked: nothing may be lost, and nothing may grow.</summary>
internal sealed class SoakBenchmark(TimeSpan length, TimeProvider time)
{
    private const int Connections = 16;
    private const int WantedRequests = 500_000;
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(5);

    public async Task<Findings> RunAsync(CancellationToken cancellationToken)
    {
        await using var edge = await LoadedEdge.StartAsync(cancellationToken);
        var load = edge.LoadAsync(Connections, (int)length.TotalSeconds, cancellationToken);
        var seen = ImmutableArray.CreateBuilder<SoakMoment>();
        var started = time.GetTimestamp();
        var (swaps, cut) = (0, 0L);
        while (!load.IsCompleted)
        {
            await Task.WhenAny(load, Task.Delay(Pause, time, cancellationToken));
            if (load.IsCompleted) break;
            cut += await edge.Edge.AskAsync(ServeCommand.Swap, cancellationToken);
            swaps++;
            await edge.Edge.AskAsync(ServeCommand.Settled, cancellationToken);
            var (memory, files, threads) = edge.Edge.Holds();
            seen.Add(new SoakMoment(time.GetElapsedTime(started).TotalSeconds, memory / 1e6, files, threads));
            Progress.Say($"soak: {seen[^1].Seconds:0} s of {length.TotalSeconds:0} s, {swaps} swaps, {seen[^1].Megabytes:0} MB");
        }

        return Report(await load, swaps, cut, seen.ToImmutable());
    }

    /// <summary>The first fifth is the compiler's and the caches'; from then on the first and the last quarter are compared.</summary>
    private static (SoakMoment Early, SoakMoment Late) Ends(ImmutableArray<SoakMoment> seen)
    {
        var settled = seen.Skip(seen.Length / 5).ToList();
        var quarter = Math.Max(1, settled.Count / 4);
        return (Middle(settled.Take(quarter)), Middle(settled.TakeLast(quarter)));
    }

    private static SoakMoment Middle(IEnumerable<SoakMoment> moments)
    {
        var all = moments.ToList();
        return new(
            Samples.Of(all.Select(moment => moment.Seconds)).Median, Samples.Of(all.Select(moment => moment.Megabytes)).Median,
            (int)Samples.Of(all.Select(moment => (double)moment.Files)).Median, (int)Samples.Of(all.Select(moment => (double)moment.Threads)).Median);
    }

    private Findings Report(WrkResult result, int swaps, long cut, ImmutableArray<SoakMoment> seen)
    {
        var (early, late) = Ends(seen);
        var failed = result.Failed + cut;
        var table = new Table(
            $"A soak of {length.TotalMinutes:0.#} minutes",
            ["", "early", "late"],
            [
                ["memory of the edge", Megabytes(early), Megabytes(late)],
                ["open files", early.Files.ToString(CultureInfo.InvariantCulture), late.Files.ToString(CultureInfo.InvariantCulture)],
                ["threads", early.Threads.ToString(CultureInfo.InvariantCulture), late.Threads.ToString(CultureInfo.InvariantCulture)],
            ])
        {
            Note = string.Create(
                CultureInfo.InvariantCulture,
                $"{result.Requests:#,0} requests, {failed} failed, {swaps} swaps with their drains. Medians of the first and of the last quarter after the first fifth of the time, each looked at after a full collection."),
        };
        return new Findings(
            "soak",
            new { result, swaps, failed, seen },
            [
                new Goal("requests lost in the soak", "0", failed.ToString(CultureInfo.InvariantCulture), failed == 0),
                new Goal("requests of the soak", $"at least {WantedRequests:#,0}", result.Requests.ToString("#,0", CultureInfo.InvariantCulture), result.Requests >= WantedRequests),
                new Goal("growth of memory, files, threads", "none", Growth(early, late), late.Megabytes <= early.Megabytes * 1.10 && late.Files <= early.Files + 8 && late.Threads <= early.Threads + 2),
            ],
            [table]);
    }

    private static string Megabytes(SoakMoment moment) => string.Create(CultureInfo.InvariantCulture, $"{moment.Megabytes:0.0} MB");

    private static string Growth(SoakMoment early, SoakMoment late) => string.Create(
        CultureInfo.InvariantCulture, $"{late.Megabytes - early.Megabytes:+0.0;-0.0;0} MB, {late.Files - early.Files:+0;-0;0}, {late.Threads - early.Threads:+0;-0;0}");

    private sealed record SoakMoment(double Seconds, double Megabytes, int Files, int Threads);
}
