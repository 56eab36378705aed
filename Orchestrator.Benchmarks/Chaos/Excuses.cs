using System.Collections.Immutable;
using Orchestrator.Tests.Load;

namespace Orchestrator.Benchmarks.Chaos;

/// <summary>All excuses of a run, and what had need of them.</summary>
internal sealed class Excuses(TimeProvider time)
{
    private readonly Lock _gate = new();
    private readonly List<Excuse> _all = [];

    public ImmutableArray<Excuse> All
    {
        get
        {
            lock (_gate) return [.. _all];
        }
    }

    /// <summary>From now on.</summary>
    /// <param name="stack">Null: every stack.</param>
    public Excuse Open(ExcuseKind kind, ActKind act, string? stack)
    {
        var excuse = new Excuse(kind, act, stack, time.GetTimestamp());
        lock (_gate) _all.Add(excuse);
        return excuse;
    }

    public void End(Excuse excuse) => excuse.End(time.GetTimestamp());

    /// <summary>What excuses a request that failed; null: nothing.</summary>
    public Excuse? For(string stack, LoadVisit visit)
    {
        lock (_gate) return _all.FirstOrDefault(excuse => excuse.Covers(stack, visit));
    }
}
