using System.Net;
using System.Text;

namespace Orchestrator.Agent.Auth;

/// <summary>The way in for browsers: a form that takes a token and gives a session.</summary>
internal static class LoginEndpoints
{
    private const int LongestForm = 4096;

    public static void MapLogin(this IEndpointRouteBuilder routes)
    {
        routes.MapGet("/login", () => Page(null)).OpenToAll().ExcludeFromDescription();
        routes.MapGet("/login.css", () => Results.Text(Style, "text/css")).OpenToAll().ExcludeFromDescription();
        routes.MapPost("/login", LogInAsync).OpenToAll().ExcludeFromDescription();
        routes.MapPost("/logout", LogOut).OpenToAll().ExcludeFromDescription();
    }

    private static async Task<IResult> LogInAsync(HttpContext context, Authenticator authenticator, BrowserSessions sessions, CancellationToken cancellationToken)
    {
        if (!Authenticator.SameOrigin(context.Request)) return Page("The form was sent from another site.", HttpStatusCode.Forbidden);
        if (!context.Request.HasFormContentType || context.Request.ContentLength is null or > LongestForm) return Page("The form is not complete.", HttpStatusCode.BadRequest);

        var form = await context.Request.ReadFormAsync(cancellationToken);
        switch (await authenticator.CheckAsync(context, form["token"].ToString().Trim(), cancellationToken))
        {
            case Identification.Known { Caller.Token: { } token }:
                context.Response.Cookies.Append(BrowserSessions.Cookie, sessions.Begin(token), Cookie(context, BrowserSessions.Length));
                return Results.Redirect("/");
            case Identification.TooMany { Wait: var wait }:
                return Page($"Too many wrong tokens. Try again in {Math.Ceiling(wait.TotalSeconds)} seconds.", HttpStatusCode.TooManyRequests);
            default:
                return Page("The token is unknown, revoked or expired.", HttpStatusCode.Unauthorized);
        }
    }

    private static IResult LogOut(HttpContext context, BrowserSessions sessions)
    {
        if (!Authenticator.SameOrigin(context.Request)) return Page("The form was sent from another site.", HttpStatusCode.Forbidden);
        if (context.Request.Cookies.TryGetValue(BrowserSessions.Cookie, out var cookie)) sessions.End(cookie);

        context.Response.Cookies.Delete(BrowserSessions.Cookie, Cookie(context, null));
        return Results.Redirect("/login");
    }

    private static CookieOptions Cookie(HttpContext context, TimeSpan? length) => new()
    {
        HttpOnly = true,
        SameSite = SameSiteMode.Strict,
        Secure = context.Request.IsHttps,
        MaxAge = length,
        Path = "/",
    };

    private static IResult Page(string? problem, HttpStatusCode status = HttpStatusCode.OK) => Results.Text(
        $"""
        <!doctype html>
        <html lang="en">
        <head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>BasMalin: log in</title><link rel="stylesheet" href="/login.css"></head>
        <body><main>
        <h1>BasMalin</h1>
        <form method="post" action="/login" autocomplete="off">
        <label for="token">Token</label>
        <input id="token" name="token" type="password" required autofocus>
        <button>Log in</button>
        </form>
        {(problem is null ? "" : $"<p role=\"alert\">{WebUtility.HtmlEncode(problem)}</p>")}
        <p>Make one on the daemon's machine: <code>basmalin token create</code></p>
        </main></body>
        </html>
        """,
        "text/html",
        Encoding.UTF8,
        (int)status);

    private const string Style = """
        :root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif }
        body { display: grid; place-items: center; min-height: 90vh; margin: 0 }
        main { width: min(24rem, 90vw) }
        label, input, button { display: block; width: 100%; box-sizing: border-box; font: inherit }
        input, button { margin: .25rem 0 1rem; padding: .5rem }
        [role=alert] { color: #c0392b }
        """;
}
