using System.Globalization;
using Orchestrator.Benchmarks.Deploy;
using Orchestrator.Benchmarks.Measuring;

namespace Orchestrator.Benchmarks.Start;

/// <summary>The published program: how long until it has said something, how long until the daemon is ready, and what it does when nothing is asked of it.</summary>
internal sealed class StartBenchmark(int rounds, TimeSpan idle, TimeProvider time)
{
    public async Task<Findings> RunAsync(CancellationToken cancellationToken)
    {
        var directory = Directory.CreateTempSubdirectory("basmalin-bench-").FullName;
        try
        {
            var program = await PublishAsync(directory, cancellationToken);

            var versions = new List<double>();
            var starts = new List<double>();
            IdleCost? cost = null;
            for (var round = 0; round <= rounds; round++)
            {
                Progress.Say($"start: round {round} of {rounds}");
                var started = time.GetTimestamp();
                await ExternalProgram.RunAsync(program, ["--version"], cancellationToken);
                var version = time.GetElapsedTime(started);

                await using var daemon = await DaemonProcess.StartAsync(program, DaemonPlace.New(Path.Combine(directory, $"data{round}")), time, cancellationToken);
                if (round == rounds) cost = await daemon.IdleAsync(idle, cancellationToken);
                if (round == 0) continue;                           // the first reads the program from the disk

                versions.Add(version.TotalMilliseconds);
                starts.Add(daemon.ReadyAfter.TotalMilliseconds);
            }

            return Report(Samples.Of(versions), Samples.Of(starts), cost ?? throw new InvalidOperationException("No round was run."));
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }

    /// <returns>The program, as it is installed.</returns>
    public static async Task<string> PublishAsync(string directory, CancellationToken cancellationToken)
    {
        Progress.Say("publishing the daemon");
        await Images.EnsureAsync(cancellationToken);
        await ExternalProgram.RunAsync("dotnet", ["publish", Path.Combine(Images.Repository, "Orchestrator.Agent"), "-c", "Release", "-o", Path.Combine(directory, "bin")], cancellationToken);
        return Path.Combine(directory, "bin", "basmalin");
    }

    private Findings Report(Samples version, Samples ready, IdleCost cost) => new(
        "start",
        new { version, ready, idle = cost },
        [new Goal("from the start of the daemon to its being ready", "under 1 s", Milliseconds(ready.Median), ready.Median < 1000)],
        [
            new Table("The program", ["", "median", "lowest", "highest"],
            [
                ["basmalin --version, from start to end", Milliseconds(version.Median), Milliseconds(version.Low), Milliseconds(version.High)],
                ["basmalin agent, from its start to /readyz", Milliseconds(ready.Median), Milliseconds(ready.Low), Milliseconds(ready.High)],
            ])
            {
                Note = string.Create(
                    CultureInfo.InvariantCulture,
                    $"As published (ready-to-run), {rounds} rounds, with a new data directory each. Idle for {idle.TotalSeconds:0} s it used {cost.CpuMilliseconds:0} ms of processor time and held {cost.MemoryMegabytes:0} MB."),
            },
        ]);

    private static string Milliseconds(double value) => string.Create(CultureInfo.InvariantCulture, $"{value:0} ms");
}
