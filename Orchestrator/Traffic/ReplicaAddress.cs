namespace Orchestrator.Traffic;

/// <summary>Where one replica is reached.</summary>
/// <param name="Key">The container's id: what the replica is called when it leaves and rejoins the rotation.</param>
/// <param name="Host">An IP address. Not a name: a connection must never wait for, or go astray with, a resolver.</param>
public sealed record ReplicaAddress(string Key, string Host);
