using Microsoft.Extensions.Hosting;

namespace Orchestrator.Traffic.Tls;

/// <summary>
/// Looks at the certificates' files again and again. Not told by the kernel: renewals often move a link, which is not seen from its directory.
/// </summary>
public sealed class CertificateWatch(CertificateFiles files, TimeProvider time) : BackgroundService
{
    private static readonly TimeSpan Every = TimeSpan.FromSeconds(2);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Every, time);
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken)) files.Refresh();
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            return;
        }
    }
}
