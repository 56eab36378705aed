using Orchestrator.Restores;
using Quartz;

namespace Orchestrator.Scheduling;

/// <summary>A few times a minute: begins what is due of backups and drills, and takes away what a restore kept long enough. Else it costs next to nothing.</summary>
[DisallowConcurrentExecution]
public sealed class BackupJob(BackupCalendar calendar, RestoreSwap swap, StreamWatch streams, KeyWatch keys, StoreWatch stores, ForecastWatch forecasts) : IJob
{
    public async ValueTask Execute(IJobExecutionContext context, CancellationToken cancellationToken)
    {
        await streams.LookAsync(cancellationToken);
        await calendar.LookAsync(cancellationToken);
        await swap.SweepAsync(cancellationToken);
        await keys.LookAsync(cancellationToken);
        await stores.LookAsync(cancellationToken);
        await forecasts.LookAsync(cancellationToken);
    }
}
