using Orchestrator.Access;

namespace Orchestrator.Agent.Auth;

/// <summary>Finds out who asks: the kernel's word on the socket, a bearer token, or a browser's session.</summary>
internal sealed class Authenticator(TokenStore tokens, BrowserSessions sessions, FailedLogins failed, TimeProvider time)
{
    private const string Bearer = "Bearer ";

    public async Task<Identification> IdentifyAsync(HttpContext context, CancellationToken cancellationToken)
    {
        if (context.Features.Get<PeerCredential>() is { MayDrive: true }) return new Identification.Known(Caller.Socket);

        var authorization = context.Request.Headers.Authorization.ToString();
        if (authorization.Length > 0)
        {
            return authorization.StartsWith(Bearer, StringComparison.OrdinalIgnoreCase)
                ? await CheckAsync(context, authorization[Bearer.Length..].Trim(), cancellationToken)
                : new Identification.Refused();
        }

        return context.Request.Cookies.TryGetValue(BrowserSessions.Cookie, out var cookie)
            ? await OfSessionAsync(context, cookie, cancellationToken)
            : new Identification.Anonymous();
    }

    /// <summary>Checks a token that somebody presents; wrong ones are counted against their address.</summary>
    public async Task<Identification> CheckAsync(HttpContext context, string token, CancellationToken cancellationToken)
    {
        var address = context.Connection.RemoteIpAddress;
        if (failed.MustWait(address) is { } wait) return new Identification.TooMany(wait);
        if (await tokens.VerifyAsync(token, cancellationToken) is { } known) return new Identification.Known(Of(known));

        failed.Add(address);
        return new Identification.Refused();
    }

    private async Task<Identification> OfSessionAsync(HttpContext context, string cookie, CancellationToken cancellationToken)
    {
        if (sessions.TokenOf(cookie) is not { } token || !await IsGoodAsync(token, cancellationToken)) return new Identification.Anonymous();

        // The cookie is SameSite=Strict; this holds in a browser that does not know what that means.
        return IsSafe(context.Request.Method) || SameOrigin(context.Request) ? new Identification.Known(Of(token)) : new Identification.Refused();
    }

    /// <summary>The request was made by a page of this very daemon.</summary>
    public static bool SameOrigin(HttpRequest request)
    {
        var site = request.Headers["Sec-Fetch-Site"].ToString();
        if (site.Length > 0) return site is "same-origin";

        return Uri.TryCreate(request.Headers.Origin.ToString(), UriKind.Absolute, out var origin)
            && string.Equals(origin.Authority, request.Host.Value, StringComparison.OrdinalIgnoreCase);
    }

    /// <summary>Neither revoked nor expired since; and not another one that got the name.</summary>
    private async Task<bool> IsGoodAsync(Token token, CancellationToken cancellationToken) =>
        (await tokens.ListAsync(cancellationToken)).Any(known =>
            known.Name == token.Name && known.CreatedAt == token.CreatedAt && (known.ExpiresAt is null || known.ExpiresAt > time.GetUtcNow()));

    private static Caller Of(Token token) => new(token.Name, token);

    private static bool IsSafe(string method) => HttpMethods.IsGet(method) || HttpMethods.IsHead(method);
}

/// <summary>What <see cref="Authenticator"/> has found out.</summary>
internal abstract record Identification
{
    private Identification()
    {
    }

    public sealed record Known(Caller Caller) : Identification;

    /// <summary>Presents nothing.</summary>
    public sealed record Anonymous : Identification;

    /// <summary>Presents what is not good.</summary>
    public sealed record Refused : Identification;

    public sealed record TooMany(TimeSpan Wait) : Identification;
}
