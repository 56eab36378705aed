using Microsoft.Extensions.Hosting;

namespace Orchestrator.Certificates;

/// <summary>Orders for a new host as soon as its route is there; the timetable does the rest.</summary>
public sealed class IssuanceWatch(CertificateIssuance issuance) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        List<Task> runs = [];
        try
        {
            while (true)
            {
                // Taken before looking; a run that waits for an authority holds up no later one.
                var moved = issuance.NextMove();
                runs.RemoveAll(run => run.IsCompletedSuccessfully);
                runs.Add(issuance.RunAsync(stoppingToken));
                await Task.WhenAny([moved, .. runs.Where(run => run.IsFaulted)]).WaitAsync(stoppingToken);
                await Task.WhenAll(runs.Where(run => run.IsFaulted));
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            await Task.WhenAll(runs).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }
}
