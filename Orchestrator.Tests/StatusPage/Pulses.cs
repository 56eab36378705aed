using Microsoft.Extensions.Time.Testing;
using Orchestrator.Agent.StatusPage;
using Orchestrator.Traffic;
using Prometheus;

namespace Orchestrator.Tests.StatusPage;

internal static class Pulses
{
    public static TrafficPulse Empty() => new(Router(), new FakeTimeProvider());

    public static TrafficRouter Router() => new(new EdgeMetrics(Metrics.NewCustomRegistry()), TimeProvider.System);
}
