using System.Collections.Immutable;
using System.Globalization;
using System.Net.WebSockets;
using Orchestrator.Benchmarks.Measuring;

namespace Orchestrator.Benchmarks.Edge;

/// <summary>What swaps do to those who are being served meanwhile, and what idle WebSockets take.</summary>
internal sealed class SteadyBenchmark(EdgePlan plan, TimeProvider time)
{
    private const int Sockets = 1000;
    private const int Allowed = 2;
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(200);

    public async Task<Findings> RunAsync(CancellationToken cancellationToken)
    {
        await using var edge = await LoadedEdge.StartAsync(cancellationToken);
        Progress.Say("steady: warming up");
        await edge.LoadAsync(plan.Connections, plan.WarmUpSeconds, cancellationToken);

        var rounds = ImmutableArray.CreateBuilder<SwapRound>();
        for (var round = 1; round <= plan.ShapeRounds; round++)
        {
            Progress.Say($"steady: round {round} of {plan.ShapeRounds}");
            var rest = await edge.LoadAsync(plan.Connections, plan.Seconds * 2, cancellationToken);
            rounds.Add(await SwappingAsync(edge, rest, cancellationToken));
        }

        Progress.Say($"steady: {Sockets} idle WebSockets");
        return Report(rounds.ToImmutable(), await SocketsAsync(edge.Edge, cancellationToken));
    }

    private async Task<SwapRound> SwappingAsync(LoadedEdge edge, WrkResult rest, CancellationToken cancellationToken)
    {
        var load = edge.LoadAsync(plan.Connections, plan.Seconds * 2, cancellationToken);
        var (swaps, cut) = (0, 0L);
        while (!load.IsCompleted)
        {
            await Task.WhenAny(load, Task.Delay(Pause, time, cancellationToken));
            if (load.IsCompleted) break;
            cut += await edge.Edge.AskAsync(ServeCommand.Swap, cancellationToken);
            swaps++;
        }

        var moving = await load;
        return new SwapRound(rest.P99, moving.P99, swaps, rest.Failed + moving.Failed + cut);
    }

    /// <returns>Bytes of resident memory for each of them.</returns>
    private static async Task<double> SocketsAsync(Contender edge, CancellationToken cancellationToken)
    {
        await edge.AskAsync(ServeCommand.Settled, cancellationToken);
        var before = edge.Holds().Memory;
        var sockets = new List<ClientWebSocket>();
        try
        {
            for (var i = 0; i < Sockets; i++)
            {
                var socket = new ClientWebSocket();
                sockets.Add(socket);
                socket.Options.SetRequestHeader("Host", edge.Host);
                await socket.ConnectAsync(new UriBuilder(edge.Address) { Scheme = "ws" }.Uri, cancellationToken);
            }

            await edge.AskAsync(ServeCommand.Settled, cancellationToken);
            return (edge.Holds().Memory - before) / (double)Sockets;
        }
        finally
        {
            foreach (var socket in sockets) socket.Dispose();
        }
    }

    private static Findings Report(ImmutableArray<SwapRound> rounds, double bytes)
    {
        var ratio = Samples.Of(rounds.Select(round => round.Swapping / round.Rest));
        var table = new Table(
            "Swaps, seen by those who are being served",
            ["", "median", "lowest", "highest"],
            [
                Row("p99 at rest", Samples.Of(rounds.Select(round => round.Rest)), "ms"),
                Row("p99 with five swaps a second, each drained", Samples.Of(rounds.Select(round => round.Swapping)), "ms"),
                Row("· as a multiple of that at rest", ratio, "×"),
            ])
        {
            Note = string.Create(
                CultureInfo.InvariantCulture,
                $"{rounds.Sum(round => round.Swaps)} swaps in {rounds.Length} rounds under full load (wrk, closed loop), {rounds.Sum(round => round.Failed)} failed requests. {Sockets:#,0} idle WebSockets through the edge take {bytes / 1024:0.0} KiB of memory each."),
        };
        return new Findings(
            "steady",
            new { rounds, webSocketBytes = bytes },
            [
                new Goal("p99 while swapping, against p99 at rest", $"at most {Allowed} ×", string.Create(CultureInfo.InvariantCulture, $"{ratio.Median:0.00} ×"), ratio.Median <= Allowed),
                new Goal("requests lost to swaps under full load", "0", rounds.Sum(round => round.Failed).ToString(CultureInfo.InvariantCulture), rounds.All(round => round.Failed == 0)),
            ],
            [table]);
    }

    private static ImmutableArray<string> Row(string what, Samples samples, string unit) =>
    [
        what,
        string.Create(CultureInfo.InvariantCulture, $"{samples.Median:0.00} {unit}"),
        string.Create(CultureInfo.InvariantCulture, $"{samples.Low:0.00} {unit}"),
        string.Create(CultureInfo.InvariantCulture, $"{samples.High:0.00} {unit}"),
    ];

    /// <param name="Rest">p99 in milliseconds, as <paramref name="Swapping"/>.</param>
    private sealed record SwapRound(double Rest, double Swapping, int Swaps, long Failed);
}
