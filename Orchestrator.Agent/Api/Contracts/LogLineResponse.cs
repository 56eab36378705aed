namespace Orchestrator.Agent.Api.Contracts;

/// <param name="Container">Its name.</param>
/// <param name="Stream">stdout or stderr.</param>
public sealed record LogLineResponse(DateTimeOffset At, string Service, string Container, string Stream, string Text);
