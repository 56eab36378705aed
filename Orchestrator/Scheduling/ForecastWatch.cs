using Orchestrator.Backups.Sets;
using Orchestrator.Journal;
using Orchestrator.Planning;
using Orchestrator.Restores;
using Orchestrator.Telemetry;

namespace Orchestrator.Scheduling;

/// <summary>Keeps saying what a loss would cost and how long a recovery would take now, when each stack was last proved, and when disks will be full; also after a restart.</summary>
public sealed class ForecastWatch(IJournal journal, SetLedger sets, DrillLedger drills, DiskWatch disks, TimeProvider time)
{
    private const int Past = 20;

    private static readonly TimeSpan BetweenLooks = TimeSpan.FromMinutes(1);

    private long? _looked;

    public async Task LookAsync(CancellationToken cancellationToken)
    {
        if (_looked is { } last && time.GetElapsedTime(last) < BetweenLooks) return;

        _looked = time.GetTimestamp();
        disks.Look();
        foreach (var state in await journal.ListStacksAsync(cancellationToken))
        {
            if (await sets.NewestAsync(state.Stack, cancellationToken) is not { } newest) continue;

            await AgesAsync(state, cancellationToken);
            if ((await drills.ListAsync(state.Stack, Past, cancellationToken)).FirstOrDefault(drill => drill is { Passed: true, OfStack: true }) is not { } drill) continue;

            BackupMetrics.Proved(state.Stack, drill.EndedAt, drill.RecoverySeconds);
            if (!newest.IsDump) BackupMetrics.Forecasts(state.Stack, RecoveryForecast.Seconds(drill, newest.Bytes));
        }
    }

    /// <summary>Of a service that is not received continuously, the newest moment that can be restored is its newest set's.</summary>
    private async Task AgesAsync(StackState state, CancellationToken cancellationToken)
    {
        if (state.CurrentRelease == 0 || await journal.FindReleaseAsync(state.Stack, state.CurrentRelease, cancellationToken) is not { } release) return;
        if ((await sets.StandingAsync(state.Stack, cancellationToken)).FirstOrDefault(set => !set.IsDump) is not { Manifest: { } manifest }) return;

        foreach (var part in RestoredData.DataOf(manifest))
        {
            if (release.Stack.Find(part.Service) is { } spec && !RestoredData.IsStreamed(spec))
                BackupMetrics.Point(state.Stack, part.Service, "off-host", (time.GetUtcNow() - manifest.CreatedAt).TotalSeconds, null);
        }
    }
}
