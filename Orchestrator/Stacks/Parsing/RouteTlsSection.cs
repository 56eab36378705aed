using System.Collections.Immutable;
using System.Net;

namespace Orchestrator.Stacks.Parsing;

/// <summary><c>tls</c>, <c>https</c> and <c>redirect_hosts</c> of a route.</summary>
internal static class RouteTlsSection
{
    private const string Files = "files";
    private const string Auto = "auto";
    private const string Redirect = "redirect";

    /// <param name="hosts">The route's own.</param>
    /// <param name="previews">Its preview hosts.</param>
    public static (TlsMode Tls, HttpsMode Https, ImmutableArray<string> RedirectHosts) Take(Section section, ImmutableArray<string> hosts, ImmutableArray<string> previews)
    {
        var redirected = section.Take("redirect_hosts") is { } some ? RedirectHosts(some, hosts) : [];
        var tls = TlsMode.Files;
        if (section.Take("tls") is { } mode)
        {
            tls = mode.OneOf("where certificates come from", Files, Auto, "off") switch
            {
                Auto => TlsMode.Auto,
                "off" => TlsMode.Off,
                _ => TlsMode.Files,
            };
            if (tls is TlsMode.Auto) CheckProvable(mode, [.. hosts, .. redirected, .. previews]);
        }

        var https = HttpsMode.WhenCertified;
        if (section.Take("https") is { } policy)
        {
            https = policy.OneOf("what happens to plain HTTP", Redirect, "allow") switch
            {
                Redirect => HttpsMode.Redirect,
                "allow" => HttpsMode.Allow,
                _ => HttpsMode.WhenCertified,
            };
            if (https is HttpsMode.Redirect && tls is TlsMode.Off)
                policy.Error("requests would be redirected to HTTPS, which 'tls: off' says there is none of", "leave one of the two out");
        }

        return (tls, https, redirected);
    }

    private static ImmutableArray<string> RedirectHosts(Field field, ImmutableArray<string> hosts)
    {
        var redirected = RouteSection.Hosts(field);
        foreach (var host in redirected)
        {
            if (!IsExact(host)) field.Error($"'{host}' is not one name: only exact names can be redirected", "www.garden.example");
            else if (hosts.Contains(host))
                field.Error($"'{host}' is one of the route's own hosts", "it is either served or redirected: name it in one of the two");
        }

        if (!redirected.IsEmpty && (hosts.IsEmpty || !IsExact(hosts[0])))
            field.Error("there is nowhere to redirect to: the first of route.hosts must be an exact name", "hosts: [garden.example]");
        return redirected;
    }

    // Both challenges are answered at the name itself, which a wildcard has none of (RFC 8555, 8.3; RFC 8737, 3). Addresses are not asked for.
    private static void CheckProvable(Field mode, ImmutableArray<string> hosts)
    {
        if (hosts.IsEmpty) mode.Error("there is no host to have a certificate for", "hosts: [garden.example]");
        foreach (var host in hosts)
        {
            const string instead = "'tls: files' and a certificate for it";
            if (!IsExact(host))
                mode.Error($"'{host}' cannot have an automatic certificate: HTTP-01 and TLS-ALPN-01 prove exact names only", $"name the hosts, or {instead}");
            else if (IPAddress.TryParse(host, out _))
                mode.Error($"'{host}' cannot have an automatic certificate: it is an address and not a name", instead);
        }
    }

    private static bool IsExact(string host) => !host.Contains('*', StringComparison.Ordinal);
}
