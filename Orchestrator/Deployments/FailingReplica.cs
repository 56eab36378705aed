using Orchestrator.Docker;

namespace Orchestrator.Deployments;

/// <summary>A live replica that does not pass its probe.</summary>
/// <param name="Detail">What its last probe saw.</param>
public sealed record FailingReplica(string Stack, string Service, ContainerId Container, string Detail);
