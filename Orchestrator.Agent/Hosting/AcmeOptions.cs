namespace Orchestrator.Agent.Hosting;

/// <summary>The authority that certificates are ordered from (RFC 8555).</summary>
public sealed record AcmeOptions
{
    /// <summary>Its directory, by https.</summary>
    public required Uri Directory { get; init; }

    /// <summary>Whom it may write to. Null: nobody.</summary>
    public string? Email { get; init; }

    /// <summary>The operator has agreed to its terms of service; must be true.</summary>
    public bool TermsAgreed { get; init; }

    /// <summary>The account that the operator has with it already. Null: none.</summary>
    public ExternalAccountOptions? Eab { get; init; }

    /// <summary>File with the roots that the directory's own certificate leads to. Null: the system's.</summary>
    public string? Root { get; init; }
}

/// <summary>An account outside of ACME.</summary>
public sealed record ExternalAccountOptions
{
    public required string Kid { get; init; }

    /// <summary>File with the key of the HMAC, in base64url.</summary>
    public required string KeyFile { get; init; }
}
