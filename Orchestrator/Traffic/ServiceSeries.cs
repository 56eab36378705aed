using Prometheus;

namespace Orchestrator.Traffic;

/// <summary>The metric children of one service, looked up once.</summary>
internal sealed record ServiceSeries(Gauge.Child Held, Counter.Child Holds, Counter.Child Retries, Counter.Child Ejections);
