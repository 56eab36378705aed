using System.Collections.Immutable;

namespace Orchestrator.Docker;

/// <param name="Action">create, start, die, oom, health_status: unhealthy, destroy, …</param>
public sealed record EngineEvent(DateTimeOffset At, string Action, ContainerId Container, ImmutableSortedDictionary<string, string> Attributes);
