using Prometheus;

namespace Orchestrator.Telemetry;

/// <summary>Healing, as Prometheus sees it. Stacks come from files of the operator; the other labels are words of our own.</summary>
public static class HealingMetrics
{
    private static readonly Counter Acts = Metrics.CreateCounter("basmalin_healing_acts_total", "Acts that brought a stack back to its release, or were to, by kind and outcome.", "stack", "kind", "outcome");

    private static readonly Gauge Drift = Metrics.CreateGauge("basmalin_healing_drift", "Differences between the stack's release and what runs, as last seen, by kind.", "stack", "kind");

    private static readonly Counter Surrenders = Metrics.CreateCounter("basmalin_healing_given_up_total", "Replicas and volumes that were given up, by reason.", "stack", "reason");

    private static readonly Histogram Recovery = Metrics.CreateHistogram(
        "basmalin_healing_recovery_seconds", "From the first look that saw a difference to the first that saw none.", ["stack"], new HistogramConfiguration { Buckets = [0.5, 1, 2, 5, 10, 30, 60, 300, 900] });

    /// <param name="outcome">done, failed, or gave_way to a deployment.</param>
    public static void Acted(string stack, string kind, string outcome) => Acts.WithLabels(stack, kind, outcome).Inc();

    public static void GaveUp(string stack, string reason) => Surrenders.WithLabels(stack, reason).Inc();

    public static void Recovered(string stack, TimeSpan took) => Recovery.WithLabels(stack).Observe(took.TotalSeconds);

    /// <param name="kinds">The kind of each difference; those that were there before and are not any more become 0.</param>
    public static void Differs(string stack, IEnumerable<string> kinds)
    {
        var counted = kinds.CountBy(kind => kind).ToDictionary();
        foreach (var labels in Drift.GetAllLabelValues().Where(labels => labels[0] == stack && !counted.ContainsKey(labels[1]))) Drift.WithLabels(labels).Set(0);
        foreach (var (kind, count) in counted) Drift.WithLabels(stack, kind).Set(count);
    }

    /// <summary>The stack is no more.</summary>
    public static void Forget(string stack)
    {
        foreach (var labels in Drift.GetAllLabelValues().Where(labels => labels[0] == stack)) Drift.RemoveLabelled(labels);
    }
}
