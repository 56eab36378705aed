using System.Diagnostics;

namespace Orchestrator.Benchmarks.Backup;

/// <summary>The most memory that this process had while something ran, looked at ten times a second.</summary>
internal static class PeakMemory
{
    public static async Task<(T Result, double Megabytes)> OfAsync<T>(Func<Task<T>> run)
    {
        using var over = new CancellationTokenSource();
        var peak = 0L;
        var watching = Task.Run(async () =>
        {
            using var process = Process.GetCurrentProcess();
            while (!over.IsCancellationRequested)
            {
                process.Refresh();
                peak = Math.Max(peak, process.WorkingSet64);
                await Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System, over.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        });
        try
        {
            return (await run(), peak / 1e6);
        }
        finally
        {
            await over.CancelAsync();
            await watching;
        }
    }
}
