using Polly;

namespace Orchestrator.Resilience;

/// <summary>Counts each attempt of a pipeline by how it ended. Stands outside the time-out, so that an attempt whose time is over is a failure, not a cancellation.</summary>
internal sealed class AttemptCount(string pipeline, ResilienceMetrics metrics, Func<Exception, FaultKind> classify) : ResilienceStrategy
{
    protected override async ValueTask<Outcome<TResult>> ExecuteCore<TResult, TState>(
        Func<ResilienceContext, TState, ValueTask<Outcome<TResult>>> callback, ResilienceContext context, TState state)
    {
        var outcome = await callback(context, state);
        metrics.Attempted(pipeline, outcome.Exception switch
        {
            null => "ok",
            OperationCanceledException => "cancelled",
            var exception => classify(exception) == FaultKind.Refusal ? "refused" : "failed",
        });
        return outcome;
    }

    internal sealed class Options : ResilienceStrategyOptions;
}
