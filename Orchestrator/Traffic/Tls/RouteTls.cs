namespace Orchestrator.Traffic.Tls;

/// <summary>What a route says about certificates and redirects.</summary>
/// <param name="Automatic">The certificate of its host is to be ordered by ACME.</param>
/// <param name="Upgrade">When plain HTTP is redirected to HTTPS.</param>
/// <param name="RedirectTo">The host that all of its requests are sent to; null: they are served.</param>
public sealed record RouteTls(bool Automatic, HttpsUpgrade Upgrade, string? RedirectTo);

/// <summary>When plain HTTP is redirected to HTTPS.</summary>
public enum HttpsUpgrade
{
    Never,

    /// <summary>Once the host has a certificate: a redirect to where no handshake succeeds would take the host away.</summary>
    WhenCertified,

    /// <summary>As soon as there is a listener for HTTPS.</summary>
    Always,
}
