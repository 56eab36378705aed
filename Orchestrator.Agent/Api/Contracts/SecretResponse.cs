namespace Orchestrator.Agent.Api.Contracts;

/// <summary>A version of a stored secret, without its value.</summary>
/// <param name="Version">From 1 within the name; never given twice.</param>
public sealed record SecretResponse(string Name, int Version, DateTimeOffset CreatedAt);

/// <param name="Value">At most 512 KiB.</param>
public sealed record SetSecretRequest(string Value);
