using Orchestrator.Deployments;
using Orchestrator.Journal;
using Quartz;

namespace Orchestrator.Scheduling;

/// <summary>Each night: forgets releases that can no longer be wanted, with the images that only they used, and shortens histories.</summary>
[DisallowConcurrentExecution]
public sealed class CleanupJob(IJournal journal, ReleaseCleanup cleanup) : IJob
{
    public async ValueTask Execute(IJobExecutionContext context, CancellationToken cancellationToken)
    {
        foreach (var state in await journal.ListStacksAsync(cancellationToken)) await cleanup.RunAsync(state.Stack, cancellationToken);
    }
}
