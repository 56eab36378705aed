namespace Orchestrator.Agent.Api.Contracts;

/// <summary>Which daemon this is.</summary>
public sealed record VersionResponse(string Version, string Runtime, string? Engine, string? EngineApi, DateTimeOffset StartedAt);
