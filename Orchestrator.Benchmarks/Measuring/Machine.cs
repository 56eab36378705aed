using System.Globalization;
using System.Runtime.InteropServices;

namespace Orchestrator.Benchmarks.Measuring;

/// <summary>Where it was measured.</summary>
/// <param name="Load">Load average of the last minute when the measuring began: other people's work on the machine.</param>
/// <param name="Steal">Share of the cores' time that the hypervisor took away during the measuring.</param>
internal sealed record Machine(int Cores, double MemoryGiB, string Processor, string Kernel, string System, string Runtime, DateTimeOffset At, double Load, double Steal)
{
    public static Machine Look(TimeProvider time) => new(
        Environment.ProcessorCount,
        Math.Round(Number("/proc/meminfo", "MemTotal") / (1 << 20), 1),
        Text("/proc/cpuinfo", "model name"),
        File.ReadAllText("/proc/sys/kernel/osrelease").Trim(),
        Text("/etc/os-release", "PRETTY_NAME", '=').Trim('"'),
        RuntimeInformation.FrameworkDescription,
        time.GetUtcNow(),
        double.Parse(File.ReadAllText("/proc/loadavg").Split(' ')[0], CultureInfo.InvariantCulture),
        0);

    /// <summary>Since boot, in ticks: all, and stolen.</summary>
    public static (double All, double Stolen) Ticks()
    {
        var fields = File.ReadLines("/proc/stat").First().Split(' ', StringSplitOptions.RemoveEmptyEntries).Skip(1).Select(field => double.Parse(field, CultureInfo.InvariantCulture)).ToArray();
        return (fields.Take(8).Sum(), fields[7]);
    }

    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture,
        $"{Cores} cores ({Processor}), {MemoryGiB:0} GiB, {System}, Linux {Kernel}, {Runtime}; {At:yyyy-MM-dd HH:mm} UTC; load average before the start {Load:0.0}; time taken away by the hypervisor {Steal:0.0 %}");

    private static double Number(string file, string key) => double.Parse(Text(file, key).Split(' ')[0], CultureInfo.InvariantCulture);

    private static string Text(string file, string key, char mark = ':') =>
        File.ReadLines(file).FirstOrDefault(line => line.StartsWith(key, StringComparison.Ordinal)) is { } line ? line[(line.IndexOf(mark) + 1)..].Trim() : "unknown";
}
