using System.Diagnostics;
using System.Globalization;

namespace Orchestrator.Benchmarks.Measuring;

/// <summary>What a process takes, as the kernel counts it: processor time with what it has started, and what it holds by itself.</summary>
internal static class ProcessTree
{
    // What user space sees; the same on all architectures that .NET runs on.
    private const double TicksPerSecond = 100;

    public static TimeSpan CpuOf(int process)
    {
        var all = Directory.EnumerateDirectories("/proc").Select(path => Path.GetFileName(path)).Where(name => char.IsAsciiDigit(name[0])).Select(Read).OfType<Entry>().ToList();
        var members = new HashSet<int> { process };
        while (all.Any(entry => members.Contains(entry.Parent) && members.Add(entry.Id)))
        {
            // Until a pass finds nobody new.
        }

        return TimeSpan.FromSeconds(all.Where(entry => members.Contains(entry.Id)).Sum(entry => entry.Ticks) / TicksPerSecond);
    }

    /// <summary>Now: resident memory in bytes, open files, threads.</summary>
    public static (long Memory, int Files, int Threads) HoldsOf(Process process)
    {
        process.Refresh();
        return (process.WorkingSet64, Directory.EnumerateFileSystemEntries($"/proc/{process.Id}/fd").Count(), process.Threads.Count);
    }

    /// <returns>Null: it has ended meanwhile.</returns>
    private static Entry? Read(string id)
    {
        try
        {
            var text = File.ReadAllText($"/proc/{id}/stat");

            // The name, in brackets, may hold anything; what follows is numbers.
            var fields = text[(text.LastIndexOf(')') + 2)..].Split(' ');
            return new Entry(int.Parse(id, CultureInfo.InvariantCulture), Field(1), Field(11) + Field(12));

            int Field(int index) => int.Parse(fields[index], CultureInfo.InvariantCulture);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private sealed record Entry(int Id, int Parent, int Ticks);
}
