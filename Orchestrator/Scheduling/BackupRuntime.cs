using Orchestrator.Backups.Sets;
using Orchestrator.Restores;

namespace Orchestrator.Scheduling;

/// <summary>Tidies up after an earlier run of the daemon, takes up what it left, and lets go in an orderly way at stop.</summary>
public sealed class BackupRuntime(SetKeeping keeping, ShadowRuns shadows, RestoreDesk restores, BackupCalendar calendar, OperationBoard board, StreamWatch streams) : IAsyncDisposable
{
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        await keeping.RecoverAsync(cancellationToken);
        await shadows.SweepAsync(cancellationToken);
        await restores.RecoverAsync(cancellationToken);
        await calendar.RecoverAsync(cancellationToken);
        await streams.StartAsync(cancellationToken);
    }

    public async ValueTask DisposeAsync()
    {
        await board.DisposeAsync();
        await streams.DisposeAsync();
    }
}
