using System.Globalization;

namespace Orchestrator.Backups.Redis;

/// <summary>What the host has for a fork.</summary>
/// <param name="Available">Bytes; null: not known.</param>
/// <param name="Overcommits">False: a fork needs as much free memory as the process has (<c>vm.overcommit_memory</c> is not 1).</param>
internal sealed record HostMemory(long? Available, bool Overcommits)
{
    private const string Memory = "/proc/meminfo";
    private const string Overcommit = "/proc/sys/vm/overcommit_memory";

    public static HostMemory Read()
    {
        var line = File.Exists(Memory) ? File.ReadLines(Memory).FirstOrDefault(line => line.StartsWith("MemAvailable:", StringComparison.Ordinal)) : null;
        return new(line is null ? null : Bytes(line), !File.Exists(Overcommit) || File.ReadAllText(Overcommit).Trim() == "1");
    }

    private static long? Bytes(string line) =>
        line.Split(' ', StringSplitOptions.RemoveEmptyEntries) is [_, var amount, ..] && long.TryParse(amount, NumberStyles.None, CultureInfo.InvariantCulture, out var kibibytes)
            ? kibibytes * 1024
            : null;
}
