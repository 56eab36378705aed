using System.Globalization;

namespace Orchestrator.Benchmarks.Backup;

/// <summary>The most memory that this process had while something ran: the kernel's own high-water mark (proc(5): VmHWM), set back before.</summary>
internal static class PeakMemory
{
    private const string Mark = "VmHWM:";

    public static async Task<(T Result, double Megabytes)> OfAsync<T>(Func<Task<T>> run)
    {
        await File.WriteAllTextAsync("/proc/self/clear_refs", "5");
        var result = await run();
        var line = (await File.ReadAllLinesAsync("/proc/self/status")).First(line => line.StartsWith(Mark, StringComparison.Ordinal));
        return (result, long.Parse(line.AsSpan(Mark.Length, line.Length - Mark.Length - " kB".Length), NumberStyles.AllowLeadingWhite, CultureInfo.InvariantCulture) * 1024 / 1e6);
    }
}
