namespace Orchestrator.Agent.Api.Contracts;

/// <summary>An access token, without the token itself: only its hash is kept.</summary>
/// <param name="Scope">read, deploy or admin; each contains the one before.</param>
/// <param name="Stack">The only stack it is good for. Null: all.</param>
/// <param name="LastUsedAt">Exact to the minute.</param>
public sealed record TokenResponse(string Name, string Scope, string? Stack, DateTimeOffset CreatedAt, DateTimeOffset? ExpiresAt, DateTimeOffset? LastUsedAt);

/// <summary>A token to be made.</summary>
public sealed record CreateTokenRequest
{
    /// <summary>Unique; says in the audit log who it was; 1 to 80 characters.</summary>
    public required string Name { get; init; }

    /// <summary>read, deploy or admin; null: admin.</summary>
    public string? Scope { get; init; }

    /// <summary>The only stack it is good for. Null: all.</summary>
    public string? Stack { get; init; }

    /// <summary>Seconds until it expires; null: never.</summary>
    public long? ExpiresIn { get; init; }
}

/// <param name="Token">The token itself, shown this once.</param>
public sealed record CreatedTokenResponse(string Name, string Scope, string? Stack, DateTimeOffset? ExpiresAt, string Token);
