using System.Globalization;
using System.Runtime.InteropServices;

namespace Orchestrator.Agent.Hosting;

/// <summary>
/// Gives back, when there is little to do, what only the start or a busy time had needed: garbage of the heap, and pages of the program's own file, which
/// stay in the file cache as long as the machine has room for them.
/// </summary>
internal sealed partial class MemoryRest(TimeProvider time, ILogger<MemoryRest> logger) : BackgroundService
{
    private const int NotNeeded = 4;                // MADV_DONTNEED
    private const long Growth = 16L << 20;
    private const double Busy = 0.1;                // of one processor

    private static readonly TimeSpan Every = TimeSpan.FromSeconds(10);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var ticks = new PeriodicTimer(Every, time);
        var (used, rested) = (Environment.CpuUsage.TotalTime, 0L);
        while (await ticks.WaitForNextTickAsync(stoppingToken))
        {
            var now = Environment.CpuUsage.TotalTime;
            var idle = (now - used) / Every < Busy;
            used = now;
            var before = Environment.WorkingSet;
            if (!idle || before < rested + Growth) continue;

            GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
            Unmap();
            rested = Environment.WorkingSet;
            LogRested(before >> 20, rested >> 20);
        }
    }

    // Shared, read-only mappings of files: they are the file itself, so that nothing is lost, and what is needed again comes from the cache.
    private static void Unmap()
    {
        const string Maps = "/proc/self/maps";
        if (!File.Exists(Maps)) return;

        foreach (var line in File.ReadAllLines(Maps))
        {
            // 7f12a000-7f12c000 r--s 00001000 fe:00 1234   /usr/local/bin/basmalin
            var fields = line.Split(' ', 6, StringSplitOptions.RemoveEmptyEntries);
            if (fields is not [{ } range, "r--s", _, _, not "0", ['/', ..]]) continue;

            var dash = range.IndexOf('-', StringComparison.Ordinal);
            var from = nint.Parse(range.AsSpan(0, dash), NumberStyles.HexNumber, CultureInfo.InvariantCulture);
            var to = nint.Parse(range.AsSpan(dash + 1), NumberStyles.HexNumber, CultureInfo.InvariantCulture);
            _ = NativeAdvise(from, to - from, NotNeeded);      // an advice: what is refused stays where it is
        }
    }

    [DllImport("libc", EntryPoint = "madvise", SetLastError = true), DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int NativeAdvise(nint address, nint length, int advice);

    [LoggerMessage(EventId = 1203, Level = LogLevel.Debug, Message = "Memory given back: {Before} MiB held before, {After} MiB now")]
    private partial void LogRested(long before, long after);
}
