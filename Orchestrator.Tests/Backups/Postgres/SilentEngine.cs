using System.Reflection;
using System.Runtime.ExceptionServices;
using Orchestrator.Docker;

namespace Orchestrator.Tests.Backups.Postgres;

/// <summary>The real engine, that is away when something is to be stopped or removed.</summary>
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
        if (targetMethod?.Name is nameof(IContainerEngine.StopAsync) or nameof(IContainerEngine.RemoveAsync))
            return Task.FromException(new EngineException(EngineFault.Unreachable, "the engine does not answer", null));

        try
        {
            return targetMethod?.Invoke(_engine, args);
        }
        catch (TargetInvocationException failure) when (failure.InnerException is { } inner)
        {
            ExceptionDispatchInfo.Throw(inner);
            throw;
        }
    }
}
