namespace Orchestrator.Agent.Api.Contracts;

/// <param name="On">True: requests are answered with the maintenance page.</param>
public sealed record MaintenanceRequest(bool On);
