namespace Orchestrator.Agent.StatusPage;

/// <summary>Keeps the pulse going.</summary>
internal sealed class TrafficSamplerService(TrafficPulse pulse, TimeProvider time) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var ticks = new PeriodicTimer(TrafficPulse.Interval, time);
        while (await ticks.WaitForNextTickAsync(stoppingToken)) pulse.Sample();
    }
}
