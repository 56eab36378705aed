using System.Reflection;
using System.Runtime.ExceptionServices;
using Orchestrator.Docker;

namespace Orchestrator.Tests.Backups.Postgres;

/// <summary>The real engine, whose answers are lost when something is stopped or removed: it is done, and nobody hears of it.</summary>
public class SilentEngine : DispatchProxy
{
    private IContainerEngine _engine = null!;

    public static IContainerEngine Of(IContainerEngine engine)
    {
        var proxy = Create<IContainerEngine, SilentEngine>();
        ((SilentEngine)(object)proxy)._engine = engine;
        return proxy;
    }

    protected override object? Invoke(MethodInfo? targetMethod, object?[]? args)
    {
        try
        {
            var done = targetMethod?.Invoke(_engine, args);
            return targetMethod?.Name is nameof(IContainerEngine.StopAsync) or nameof(IContainerEngine.RemoveAsync) && done is Task act ? LostAsync(act) : done;
        }
        catch (TargetInvocationException failure) when (failure.InnerException is { } inner)
        {
            ExceptionDispatchInfo.Throw(inner);
            throw;
        }
    }

    private static async Task LostAsync(Task act)
    {
        await act;
        throw new EngineException(EngineFault.Unreachable, "the engine does not answer", null);
    }
}
