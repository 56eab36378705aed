using System.Diagnostics;

namespace GardenApp.Hosting;

/// <summary>Says at start what this process is, and shouts about every fault that is on.</summary>
internal sealed partial class StartupNotes : IHostedLifecycleService
{
    private readonly GardenSettings _settings;
    private readonly TimeProvider _time;
    private readonly ILogger<StartupNotes> _logger;

    public StartupNotes(GardenSettings settings, TimeProvider time, ILogger<StartupNotes> logger)
    {
        _settings = settings;
        _time = time;
        _logger = logger;
    }

    public Task StartingAsync(CancellationToken cancellationToken)
    {
        foreach (var fault in _settings.Faults.Active) LogFault(fault);
        return Task.CompletedTask;
    }

    public Task StartedAsync(CancellationToken cancellationToken)
    {
        using var process = Process.GetCurrentProcess();
        var took = _time.GetUtcNow() - process.StartTime.ToUniversalTime();
        LogStarted(_settings.Version, _settings.Port, took.TotalMilliseconds);
        return Task.CompletedTask;
    }

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    [LoggerMessage(EventId = 1901, Level = LogLevel.Information, Message = "GardenApp {Version} listens on port {Port}, {Milliseconds:0} ms after its process began")]
    private partial void LogStarted(string version, int port, double milliseconds);

    [LoggerMessage(EventId = 1902, Level = LogLevel.Warning, Message = "A fault on purpose is on: {Fault}")]
    private partial void LogFault(string fault);
}
