using System.Collections.Immutable;

namespace Orchestrator.Agent.Api.Contracts;

/// <summary>What has happened to a stack, newest first.</summary>
public sealed record HistoryResponse(string Stack, ImmutableArray<DeploymentResponse> Deployments, ImmutableArray<ReleaseResponse> Releases);
