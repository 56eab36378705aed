using Microsoft.Extensions.Logging;
using Orchestrator.Docker;
using Orchestrator.Resilience;

namespace Orchestrator.Deployments;

/// <summary>
/// Undoes a step although the engine is away at the moment: what failed because of its restart is undone when it is back, and nothing is left half done. Every undo
/// may be entered twice.
/// </summary>
public sealed partial class PatientUndo(TimeProvider time, ILogger<PatientUndo> logger)
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(10);
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    /// <summary>The engine did not answer, or not as it should: it may do so later.</summary>
    public static bool Passes(EngineException failure) => EngineFaults.Classify(failure) != FaultKind.Refusal;

    /// <param name="began">When the undo of the whole deployment did: the patience is for all of its steps together.</param>
    /// <param name="stopping">The daemon's stop: the attempt under way is the last.</param>
    /// <exception cref="EngineException">The engine was away for longer, or refuses.</exception>
    /// <exception cref="TimeoutException">The step took its time for it.</exception>
    public async Task RunAsync(IDeploymentStep step, DeploymentWork work, long began, CancellationToken stopping)
    {
        var told = false;
        while (true)
        {
            try
            {
                await AttemptAsync(step, work);
                return;
            }
            catch (EngineException away) when (Passes(away) && !stopping.IsCancellationRequested && time.GetElapsedTime(began) < Patience)
            {
                if (!told) LogAway(work.Deployment.Id, step.Kind, away.Message);
                told = true;
            }

            await Task.Delay(Pause, time, stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);     // once more, which says how it is
        }
    }

    private async Task AttemptAsync(IDeploymentStep step, DeploymentWork work)
    {
        var limit = StepDeadline.OfUndo(step.Kind, work);
        using var deadline = new CancellationTokenSource(limit, time);
        try
        {
            await step.UndoAsync(work, deadline.Token);
        }
        catch (OperationCanceledException late) when (deadline.IsCancellationRequested)
        {
            throw new TimeoutException($"It was not undone within {limit.TotalMinutes:0.#} min.", late);
        }
    }

    [LoggerMessage(EventId = 2113, Level = LogLevel.Warning, Message = "Deployment {Deployment}: step {Step} is undone as soon as the engine answers: {Problem}")]
    private partial void LogAway(DeploymentId deployment, StepKind step, string problem);
}
