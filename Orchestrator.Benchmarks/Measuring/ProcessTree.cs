using System.Globalization;

namespace Orchestrator.Benchmarks.Measuring;

/// <summary>Processor time of a process and of what it has started, as the kernel counts it.</summary>
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
