namespace Orchestrator.Secrets;

/// <summary>Numbers, as the container sees them.</summary>
public sealed record FileOwner(uint Uid, uint Gid);
