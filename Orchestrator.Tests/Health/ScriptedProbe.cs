using Orchestrator.Health;

namespace Orchestrator.Tests.Health;

/// <summary>Says what the script says at the time; the last entry stays.</summary>
internal sealed class ScriptedProbe(TimeProvider time, params (double From, bool Healthy)[] script) : IHealthProbe
{
    private readonly long _started = time.GetTimestamp();
    private readonly List<TimeSpan> _asked = [];

    public IReadOnlyList<TimeSpan> Asked => _asked;

    public Task<ProbeResult> ProbeAsync(CancellationToken cancellationToken)
    {
        var now = time.GetElapsedTime(_started);
        _asked.Add(now);
        var healthy = script.Last(entry => entry.From <= now.TotalSeconds).Healthy;
        return Task.FromResult(new ProbeResult(healthy, healthy ? "GET /up: 200" : "GET /up: 503"));
    }
}
