using System.Security.Cryptography.X509Certificates;

namespace Orchestrator.Certificates;

/// <summary>The authority that certificates are ordered from, and who orders.</summary>
public sealed record AcmeSettings
{
    /// <summary>The authority's directory, by https.</summary>
    public required Uri Directory { get; init; }

    /// <summary>Whom the authority may write to; null: nobody.</summary>
    public string? Email { get; init; }

    /// <summary>The operator has agreed to the authority's terms of service.</summary>
    public bool TermsAgreed { get; init; }

    /// <summary>The account that the operator has with the authority already; null: none is needed.</summary>
    public ExternalAccount? ExternalAccount { get; init; }

    /// <summary>Roots that the directory's own certificate leads to; empty: the system's.</summary>
    public X509Certificate2Collection Roots { get; init; } = [];
}

/// <summary>An account outside of ACME (RFC 8555, 7.3.4).</summary>
/// <param name="Key">The key of the HMAC that the authority has given out.</param>
public sealed record ExternalAccount(string KeyId, byte[] Key);
