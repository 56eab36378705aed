using System.Globalization;
using GardenApp.Hosting;

namespace GardenApp.Health;

/// <summary>Disk space where uploads go, and memory. Both only warn: a restart elsewhere would not make more of either.</summary>
internal sealed class MachineChecks
{
    private const long Mebibyte = 1024 * 1024;
    private const long LeastFree = 100 * Mebibyte;
    private const double MostUsed = 0.9;

    private readonly GardenSettings _settings;

    public MachineChecks(GardenSettings settings) => _settings = settings;

    internal HealthCheckResult Disk()
    {
        // The folder is made with the first upload.
        var folder = Path.GetFullPath(_settings.UploadsFolder);
        while (!Directory.Exists(folder) && Path.GetDirectoryName(folder) is { } parent) folder = parent;
        try
        {
            var free = new DriveInfo(folder).AvailableFreeSpace;
            var details = $"{free / Mebibyte} MiB free for uploads";
            return free < LeastFree ? HealthCheckResult.Degraded("disk_space", details) : HealthCheckResult.Healthy("disk_space", details);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return HealthCheckResult.Degraded("disk_space", exception.Message);
        }
    }

    internal static HealthCheckResult Memory()
    {
        // The limit of the container, where there is one.
        var limit = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes;
        var used = Environment.WorkingSet;
        var details = string.Create(CultureInfo.InvariantCulture, $"{used / Mebibyte} MiB of {limit / Mebibyte} MiB in use");
        return used > limit * MostUsed ? HealthCheckResult.Degraded("memory", details) : HealthCheckResult.Healthy("memory", details);
    }
}
