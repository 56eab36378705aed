namespace Orchestrator.Benchmarks.Chaos;

/// <summary>Which versions of a stack may answer, and when: the one that is live, and the one that a deployment brings or takes away.</summary>
internal sealed class Versions(TimeProvider time)
{
    private readonly Lock _gate = new();
    private readonly List<(string Version, long From, long To)> _spans = [];

    /// <summary>From now on it may answer.</summary>
    public void Allow(string version)
    {
        lock (_gate)
        {
            if (_spans.All(span => span.Version != version || span.To != long.MaxValue)) _spans.Add((version, time.GetTimestamp(), long.MaxValue));
        }
    }

    /// <summary>From now on no other version may answer: a deployment has ended.</summary>
    public void Only(string version)
    {
        Allow(version);
        lock (_gate)
        {
            var now = time.GetTimestamp();
            for (var index = 0; index < _spans.Count; index++)
            {
                if (_spans[index] is { To: long.MaxValue } open && open.Version != version) _spans[index] = open with { To = now };
            }
        }
    }

    public bool MayAnswer(string version, long came, long left)
    {
        lock (_gate) return _spans.Any(span => span.Version == version && came <= span.To && left >= span.From);
    }
}
