using System.Text.Json;
using Orchestrator.Tests.Load;

namespace Orchestrator.Benchmarks.Load;

/// <summary>One run of the load generator from the command line.</summary>
internal sealed class LoadRun(LoadOptions options, TimeSpan duration, TimeProvider time)
{
    private static readonly JsonSerializerOptions Indented = new(JsonSerializerDefaults.Web) { WriteIndented = true };

    public FileInfo? Report { get; init; }

    public bool Json { get; init; }

    /// <param name="cancellationToken">Ends it early, in good order: the report is of what was sent by then.</param>
    public async Task<int> RunAsync(CancellationToken cancellationToken)
    {
        var started = time.GetTimestamp();
        await using var load = OpenLoopLoad.Start(options);
        await WatchAsync(load, started, cancellationToken);

        var summary = LoadSummary.Of(await load.StopAsync(), time.GetElapsedTime(started), finished: true);
        Write(summary);
        if (!Console.IsErrorRedirected)
            Console.Error.Write("\r\e[K");
        Console.Out.WriteLine(Json ? JsonSerializer.Serialize(summary, Indented) : summary.ToString());
        return summary is { Failed: 0, Sent: > 0 } ? 0 : 1;
    }

    private async Task WatchAsync(OpenLoopLoad load, long started, CancellationToken cancellationToken)
    {
        while (!cancellationToken.IsCancellationRequested)
        {
            var elapsed = time.GetElapsedTime(started);
            var left = duration - elapsed;
            if (left <= TimeSpan.Zero)
                return;

            var summary = LoadSummary.Of(load.Report(), elapsed, finished: false);
            Write(summary);
            if (!Console.IsErrorRedirected)
                Console.Error.Write($"\r\e[K{summary.Line}");
            await Task.Delay(left < TimeSpan.FromSeconds(1) ? left : TimeSpan.FromSeconds(1), time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    // Whole or not at all: somebody may be reading it.
    private void Write(LoadSummary summary)
    {
        if (Report is null)
            return;

        var draft = Report.FullName + ".new";
        File.WriteAllText(draft, JsonSerializer.Serialize(summary, Indented));
        File.Move(draft, Report.FullName, overwrite: true);
    }
}
