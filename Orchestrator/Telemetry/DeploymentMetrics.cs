using Prometheus;

namespace Orchestrator.Telemetry;

/// <summary>Deployments, as Prometheus sees them.</summary>
public static class DeploymentMetrics
{
    private static readonly Counter Deployments = Metrics.CreateCounter(
        "basmalin_deployments_total", "Deployments that have ended, by outcome.", "stack", "outcome");

    private static readonly Histogram Steps = Metrics.CreateHistogram(
        "basmalin_deployment_step_duration_seconds", "Duration of the steps of deployments.",
        new HistogramConfiguration { LabelNames = ["step"], Buckets = [0.005, 0.02, 0.1, 0.5, 1, 2, 5, 10, 20, 60, 120, 300, 600] });

    private static readonly Gauge Running = Metrics.CreateGauge("basmalin_deployments_running", "Deployments that run now.");

    private static readonly Gauge Release = Metrics.CreateGauge("basmalin_stack_release", "Number of the release that has the traffic.", "stack");

    public static void Ended(string stack, string outcome) => Deployments.WithLabels(stack, outcome).Inc();

    public static void StepTook(string step, TimeSpan duration) => Steps.WithLabels(step).Observe(duration.TotalSeconds);

    public static IDisposable TrackRunning() => Running.TrackInProgress();

    public static void Serves(string stack, int release) => Release.WithLabels(stack).Set(release);
}
