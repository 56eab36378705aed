namespace Orchestrator.Traffic.Requests;

/// <summary>A stack that is being worked on: everybody is told to come back, except those who are let in, and the health check.</summary>
internal sealed class MaintenanceMode(AddressSet allowed)
{
    /// <summary>Whether this request does not get through.</summary>
    public bool Closes(EdgeExchange exchange, RouteTarget target) =>
        !exchange.AsksHealth(target) && !allowed.Contains(exchange.Client.Address);
}
