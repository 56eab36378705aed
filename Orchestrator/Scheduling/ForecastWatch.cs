using Orchestrator.Backups.Sets;
using Orchestrator.Journal;
using Orchestrator.Restores;
using Orchestrator.Telemetry;

namespace Orchestrator.Scheduling;

/// <summary>Keeps saying when each stack was last proved, and how long a recovery would take now; also after a restart.</summary>
public sealed class ForecastWatch(IJournal journal, SetLedger sets, DrillLedger drills, TimeProvider time)
{
    private const int Past = 20;

    private static readonly TimeSpan BetweenLooks = TimeSpan.FromMinutes(1);

    private long? _looked;

    public async Task LookAsync(CancellationToken cancellationToken)
    {
        if (_looked is { } last && time.GetElapsedTime(last) < BetweenLooks) return;

        _looked = time.GetTimestamp();
        foreach (var state in await journal.ListStacksAsync(cancellationToken))
        {
            if (await sets.NewestAsync(state.Stack, cancellationToken) is not { } newest) continue;
            if ((await drills.ListAsync(state.Stack, Past, cancellationToken)).FirstOrDefault(drill => drill is { Passed: true, OfStack: true }) is not { } drill) continue;

            BackupMetrics.Proved(state.Stack, drill.EndedAt, drill.RecoverySeconds);
            if (!newest.IsDump) BackupMetrics.Forecasts(state.Stack, RecoveryForecast.Seconds(drill, newest.Bytes));
        }
    }
}
