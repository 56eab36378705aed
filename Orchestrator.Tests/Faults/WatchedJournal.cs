using System.Reflection;
using Orchestrator.Deployments;
using Orchestrator.Journal;

namespace Orchestrator.Tests.Faults;

/// <summary>A journal that tells which step begins, before anything of it is done. Public and open, because the proxy is derived from it.</summary>
public class WatchedJournal : DispatchProxy
{
    private IJournal _journal = null!;
    private Action<StepKind> _begins = null!;

    public static IJournal Around(IJournal journal, Action<StepKind> begins)
    {
        var proxy = Create<IJournal, WatchedJournal>();
        var watched = (WatchedJournal)(object)proxy;
        (watched._journal, watched._begins) = (journal, begins);
        return proxy;
    }

    protected override object? Invoke(MethodInfo? targetMethod, object?[]? args)
    {
        if (targetMethod?.Name == nameof(IJournal.BeginStepAsync) && args?[1] is StepKind step) _begins(step);
        return targetMethod?.Invoke(_journal, args);
    }
}
