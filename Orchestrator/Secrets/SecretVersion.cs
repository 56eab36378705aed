namespace Orchestrator.Secrets;

/// <summary>What may be told of a secret.</summary>
/// <param name="Version">From 1 within the name; never given twice.</param>
public sealed record SecretVersion(string Name, int Version, DateTimeOffset CreatedAt);
