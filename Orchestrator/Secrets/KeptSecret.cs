namespace Orchestrator.Secrets;

/// <summary>One version of a secret on its way to another place that keeps it.</summary>
/// <param name="Removed">It is kept for releases that refer to it, and given to no new one.</param>
public sealed record KeptSecret(string Name, int Version, bool Removed, DateTimeOffset CreatedAt, Secret Value);
