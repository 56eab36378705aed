using System.Globalization;

namespace Orchestrator.Deployments;

/// <summary>Free disk and memory of the host, read from the system itself.</summary>
public static class HostResources
{
    /// <returns>Bytes; null when the directory is not on this host.</returns>
    public static (long Free, long Total)? DiskOf(string directory)
    {
        if (!Directory.Exists(directory)) return null;
        var drive = new DriveInfo(directory);
        return (drive.AvailableFreeSpace, drive.TotalSize);
    }

    /// <returns>Bytes that can be had without swapping; null when the system does not tell.</returns>
    public static long? AvailableMemory()
    {
        if (!File.Exists("/proc/meminfo")) return null;
        var line = File.ReadLines("/proc/meminfo").FirstOrDefault(item => item.StartsWith("MemAvailable:", StringComparison.Ordinal));
        return line?.Split(' ', StringSplitOptions.RemoveEmptyEntries) is [_, var kib, ..] ? long.Parse(kib, CultureInfo.InvariantCulture) * 1024 : null;
    }
}
