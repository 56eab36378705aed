using Microsoft.Extensions.Logging;
using Orchestrator.Journal;
using Orchestrator.Telemetry;

namespace Orchestrator.Deployments;

/// <summary>Brings routes and unfinished deployments back at start, and lets go in an orderly way at stop.</summary>
public sealed partial class DeploymentRuntime(
    IJournal journal, StackRoutesKeeper routes, DeploymentQueue queue, Housekeeping housekeeping, LiveWatch watch, ILogger<DeploymentRuntime> logger) : IAsyncDisposable
{
    /// <summary>
    /// Lays the routes of every stack from the journal and the engine; said before the edge listens. A stack whose record is damaged, or whose
    /// release is missing, is left out and named; the others are served.
    /// </summary>
    public async Task RestoreAsync(CancellationToken cancellationToken)
    {
        foreach (var (stack, problem) in await journal.DamagedStacksAsync(cancellationToken)) LogQuarantined(stack, problem);
        foreach (var state in await journal.ListStacksAsync(cancellationToken))
        {
            try
            {
                await routes.RestoreAsync(state, cancellationToken);
                DeploymentMetrics.Serves(state.Stack, state.CurrentRelease);
            }
            catch (Exception problem) when (problem is not OperationCanceledException)
            {
                // Whatever is wrong with one stack, a route that another has by now included: the rest is served.
                routes.Quarantine(state.Stack, problem.Message);
                LogNotRestored(problem, state.Stack);
            }
        }
    }

    /// <summary>Resumes, undoes or begins what the journal has unfinished, and begins to watch; said once the edge listens.</summary>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        routes.Watch();
        housekeeping.Start();
        watch.Start();
        foreach (var stack in (await journal.UnfinishedAsync(cancellationToken)).Select(deployment => deployment.Request.Stack).Distinct()) queue.Wake(stack);
    }

    /// <summary>Suspends running deployments; the next start resumes them.</summary>
    public async ValueTask DisposeAsync()
    {
        await queue.DisposeAsync();
        await watch.DisposeAsync();
        await housekeeping.DisposeAsync();
        await routes.DisposeAsync();
    }

    [LoggerMessage(EventId = 2501, Level = LogLevel.Error, Message = "Stack {Stack} is not served: its record is damaged: {Problem}")]
    private partial void LogQuarantined(string stack, string problem);

    [LoggerMessage(EventId = 2502, Level = LogLevel.Error, Message = "Stack {Stack}: its routes could not be laid, or not all of them; it is tried again until what is in the way is gone")]
    private partial void LogNotRestored(Exception problem, string stack);
}
