namespace GardenApp.Faults;

/// <summary>Takes memory and never gives it back, until the kernel or somebody watching ends it.</summary>
internal sealed class MemoryLeak : BackgroundService
{
    private readonly FaultSettings _settings;
    private readonly TimeProvider _time;
    private readonly List<byte[]> _kept = [];

    public MemoryLeak(FaultSettings settings, TimeProvider time)
    {
        _settings = settings;
        _time = time;
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var ticks = new PeriodicTimer(TimeSpan.FromSeconds(1), _time);
        while (await ticks.WaitForNextTickAsync(stoppingToken))
        {
            var block = new byte[_settings.LeakMegabytesPerSecond * 1024 * 1024];
            // Memory counts when it is written to, not when it is asked for.
            Array.Fill(block, (byte)1);
            _kept.Add(block);
        }
    }
}
