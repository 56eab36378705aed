using System.Globalization;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Orchestrator.Traffic.Tls;

/// <summary>Where a request is sent instead of being served: to HTTPS, to the canonical host, or to both in one hop.</summary>
internal sealed class EdgeRedirects(CertificateStore? certificates)
{
    /// <summary>What validations of certificates ask for; an authority need not follow a redirect.</summary>
    public const string Challenges = "/.well-known/acme-challenge";

    private const int DefaultPort = 443;
    private const string Secure = "https";

    /// <summary>The port that clients reach HTTPS at; 0: there is none.</summary>
    public int SecurePort { get; set; }

    /// <summary>Answers 308, which keeps method and body, when the request does not belong here.</summary>
    /// <returns>False: it is to be served.</returns>
    public bool TryAnswer(HttpContext context, RouteTls rules)
    {
        if (LocationFor(context, rules) is not { } location) return false;

        var response = context.Response;
        response.StatusCode = StatusCodes.Status308PermanentRedirect;
        response.Headers.Location = location;
        response.Headers.CacheControl = "max-age=3600";     // a mistake in the settings is not kept for ever
        response.ContentLength = 0;
        return true;
    }

    private string? LocationFor(HttpContext context, RouteTls rules)
    {
        var request = context.Request;

        // Written by the edge itself before this, so that a proxy in front that ends TLS is taken at its word only when it is trusted.
        var secure = string.Equals(request.Headers["X-Forwarded-Proto"], Secure, StringComparison.OrdinalIgnoreCase);
        var host = rules.RedirectTo ?? request.Host.Host;
        var upgrade = !secure && SecurePort != 0 && Upgrades(rules.Upgrade, host);
        if (!upgrade && rules.RedirectTo is null) return null;
        if (host.Length == 0 || request.Path.StartsWithSegments(Challenges, StringComparison.Ordinal)) return null;

        return string.Concat(upgrade || secure ? "https://" : "http://", host, PortText(upgrade, request.Host), Target(context));
    }

    private bool Upgrades(HttpsUpgrade upgrade, string host) => upgrade switch
    {
        HttpsUpgrade.Always => true,
        HttpsUpgrade.WhenCertified => certificates?.Find(HostName.Of(host)) is not null,
        _ => false,
    };

    private string PortText(bool upgrade, HostString host) => (upgrade ? SecurePort : host.Port) switch
    {
        null => "",
        DefaultPort when upgrade => "",
        { } port => string.Create(CultureInfo.InvariantCulture, $":{port}"),
    };

    // As the client wrote it; what would not be a header's value is encoded.
    private static string Target(HttpContext context)
    {
        var raw = context.Features.Get<IHttpRequestFeature>()?.RawTarget;
        if (raw is ['/', ..] && !raw.AsSpan().ContainsAnyExceptInRange('!', '~')) return raw;

        var request = context.Request;
        return $"{(request.Path.HasValue ? request.Path.ToUriComponent() : "/")}{request.QueryString.ToUriComponent()}";
    }
}
