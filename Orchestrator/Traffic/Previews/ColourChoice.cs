using System.Collections.Immutable;
using System.Text;
using Orchestrator.Traffic.Requests;

namespace Orchestrator.Traffic.Previews;

/// <summary>Leads requests that chose a colour to it, or says why not: never to another.</summary>
/// <param name="sides">The colours of this service beside the live one.</param>
/// <param name="roles">The roles that any service of the stack has beside the live one: what a release does not change is live in it.</param>
internal sealed class ColourChoice(
    Route route, PreviewRule rule, ImmutableArray<(SideRole Role, RouteTarget Target)> sides, ImmutableHashSet<SideRole> roles, PreviewPass pass)
{
    /// <summary>The header that names the colour. It is meant for the proxy, and goes no further.</summary>
    public const string Header = "X-BasMalin-Colour";

    /// <summary>The header that holds the key. It goes no further.</summary>
    public const string KeyHeader = "X-BasMalin-Key";

    /// <summary>The header of the answer that says of which release it is.</summary>
    public const string ReleaseHeader = "X-BasMalin-Release";

    private const string CandidateWord = "candidate";
    private const string BasicScheme = "Basic ";

    /// <summary>A request without a word of its own gets the candidate, and needs to be known.</summary>
    public bool OwnHost => rule.OwnHost;

    /// <returns>Null: it gets nothing; <see cref="EdgeExchange.Denied"/> says why.</returns>
    public RouteTarget? Choose(EdgeExchange exchange, RouteTarget live)
    {
        exchange.IsChosen = true;
        if (!Admits(exchange))
        {
            exchange.Denied = rule.OwnHost ? new Denial(Unknown(), route.Tls) : Denial.NotHere;
            return null;
        }

        var wanted = exchange.Colour ?? CandidateWord;
        var target = wanted.ToLowerInvariant() switch
        {
            "live" => live,
            CandidateWord => Side(SideRole.Candidate, live),
            "warm" => Side(SideRole.Warm, live),
            "blue" or "green" => Named(wanted, live),
            _ => null,
        };
        if (target is null)
            exchange.Denied = new Denial(Missing(wanted, live), route.Tls);
        return target;
    }

    private RouteTarget? Side(SideRole role, RouteTarget live)
    {
        foreach (var side in sides)
        {
            if (side.Role == role)
                return side.Target;
        }

        return roles.Contains(role) ? live : null;
    }

    private RouteTarget? Named(string colour, RouteTarget live)
    {
        if (IsNamed(live))
            return live;

        foreach (var side in sides)
        {
            if (IsNamed(side.Target))
                return side.Target;
        }

        return null;

        bool IsNamed(RouteTarget target) => target.Upstream.Identity.Colour.Equals(colour, StringComparison.OrdinalIgnoreCase);
    }

    // Looked at once for a request: what it showed is not passed on, so it cannot be looked at again after a wait.
    private bool Admits(EdgeExchange exchange)
    {
        if (exchange.AdmittedTo == route.Stack)
            return true;

        var request = exchange.Context.Request;
        var admitted = rule.Allow.Contains(exchange.Client.Address) || rule.Opens(exchange.Key) || (rule.OwnHost && (HasPass() || ShowsKey()));
        exchange.AdmittedTo = admitted ? route.Stack : null;
        return admitted;

        bool HasPass() => rule.KeySha256 is not null && pass.Holds(request.Cookies[PreviewPass.Cookie], rule, HostName.Of(request.Host.Value));

        bool ShowsKey()
        {
            if (!rule.Opens(PasswordIn(request.Headers.Authorization.ToString())))
                return false;

            request.Headers.Remove("Authorization");
            exchange.NewPass = pass.Issue(rule, HostName.Of(request.Host.Value), exchange.Client.IsHttps);
            return true;
        }
    }

    /// <summary>The password of RFC 7617; the name before it may be any.</summary>
    private static string? PasswordIn(string authorization)
    {
        if (!authorization.StartsWith(BasicScheme, StringComparison.OrdinalIgnoreCase))
            return null;

        Span<byte> bytes = stackalloc byte[512];
        if (!Convert.TryFromBase64String(authorization[BasicScheme.Length..].Trim(), bytes, out var length))
            return null;

        var pair = Encoding.UTF8.GetString(bytes[..length]);
        return pair.IndexOf(':', StringComparison.Ordinal) is >= 0 and var colon ? pair[(colon + 1)..] : null;
    }

    private OwnAnswer Unknown() =>
        new(401, "Who are you?", rule.KeySha256 is null ? "This preview is open to some networks only." : "This is a preview: it asks for its key as the password.")
        {
            Challenge = rule.KeySha256 is null ? null : "Basic realm=\"preview\", charset=\"UTF-8\"",
        };

    private static OwnAnswer Missing(string wanted, RouteTarget live) => wanted.ToLowerInvariant() switch
    {
        "live" or CandidateWord or "warm" or "blue" or "green" => new(404, "Not there now", $"There is no {wanted.ToLowerInvariant()} version at the moment; release {live.Upstream.Identity.Release} ({live.Upstream.Identity.Colour}) is live."),
        _ => new(400, "Bad request", $"{Header} is one of live, candidate, warm, blue and green."),
    };
}
