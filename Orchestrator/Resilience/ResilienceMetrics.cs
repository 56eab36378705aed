using Prometheus;

namespace Orchestrator.Resilience;

/// <summary>What the pipelines did, for Prometheus. The label <c>pipeline</c> has the four names of <see cref="Pipelines"/>.</summary>
internal sealed class ResilienceMetrics(IMetricFactory factory)
{
    private readonly Counter _attempts = factory.CreateCounter(
        "basmalin_resilience_attempts_total", "Attempts, by how they ended: ok, refused, failed or cancelled by the caller.", ["pipeline", "outcome"]);

    private readonly Counter _retries = factory.CreateCounter(
        "basmalin_resilience_retries_total", "Attempts that were made again after a failure.", ["pipeline"]);

    private readonly Counter _timeouts = factory.CreateCounter(
        "basmalin_resilience_timeouts_total", "Attempts that were given up because their time was over.", ["pipeline"]);

    private readonly Gauge _breakerOpen = factory.CreateGauge(
        "basmalin_resilience_breaker_open", "1 while the circuit breaker refuses calls, else 0.", ["pipeline"]);

    /// <summary>Makes the series of a pipeline exist from the start: an absent series cannot be told from a healthy one.</summary>
    public void Declare(string pipeline)
    {
        foreach (var outcome in (ReadOnlySpan<string>)["ok", "refused", "failed", "cancelled"]) _attempts.WithLabels(pipeline, outcome);
        _retries.WithLabels(pipeline);
        _timeouts.WithLabels(pipeline);
        _breakerOpen.WithLabels(pipeline).Set(0);
    }

    public void Attempted(string pipeline, string outcome) => _attempts.WithLabels(pipeline, outcome).Inc();

    public void Retried(string pipeline) => _retries.WithLabels(pipeline).Inc();

    public void TimedOut(string pipeline) => _timeouts.WithLabels(pipeline).Inc();

    public void BreakerIsOpen(string pipeline, bool open) => _breakerOpen.WithLabels(pipeline).Set(open ? 1 : 0);
}
