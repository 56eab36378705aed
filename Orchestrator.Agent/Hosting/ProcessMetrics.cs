using System.Diagnostics;
using System.Runtime.InteropServices;
using Prometheus;

namespace Orchestrator.Agent.Hosting;

/// <summary>The agent about itself. The exporter's own default metrics are off: promtool does not accept their names.</summary>
internal static class ProcessMetrics
{
    private static readonly Lazy<bool> Registered = new(Register);

    /// <summary>Once for each process, however many daemons a test runs in it.</summary>
    public static void Ensure() => _ = Registered.Value;

    private static bool Register()
    {
        Metrics.SuppressDefaultMetrics();
        Metrics.CreateGauge("basmalin_build_info", "1; the labels say which agent this is.", "version", "runtime")
            .WithLabels(Cli.Build.Version, RuntimeInformation.FrameworkDescription)
            .Set(1);
        var started = Metrics.CreateGauge("basmalin_process_start_time_seconds", "Unix time at which the agent was started.");
        var cpu = Metrics.CreateCounter("basmalin_process_cpu_seconds_total", "Processor time that the agent has used.");
        var memory = Metrics.CreateGauge("basmalin_process_resident_memory_bytes", "Memory that the agent has in use.");
        var threads = Metrics.CreateGauge("basmalin_process_threads", "Threads of the agent.");
        var files = Metrics.CreateGauge("basmalin_process_open_fds", "Open file descriptors of the agent.");
        Metrics.DefaultRegistry.AddBeforeCollectCallback(() =>
        {
            using var self = Process.GetCurrentProcess();
            started.Set(new DateTimeOffset(self.StartTime.ToUniversalTime()).ToUnixTimeMilliseconds() / 1000.0);
            cpu.IncTo(self.TotalProcessorTime.TotalSeconds);
            memory.Set(self.WorkingSet64);
            threads.Set(self.Threads.Count);
            if (Directory.Exists("/proc/self/fd")) files.Set(Directory.GetFileSystemEntries("/proc/self/fd").Length);
        });
        return true;
    }
}
