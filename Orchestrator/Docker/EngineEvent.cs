using System.Collections.Immutable;

namespace Orchestrator.Docker;

/// <param name="Action">create, start, die, oom, health_status: unhealthy, destroy, …; or <see cref="OffNetwork"/>, which has no labels among its attributes.</param>
public sealed record EngineEvent(DateTimeOffset At, string Action, ContainerId Container, ImmutableSortedDictionary<string, string> Attributes)
{
    /// <summary>The container has left a network, by its end or by somebody's hand.</summary>
    public const string OffNetwork = "disconnect";
}
