using System.Net;
using Orchestrator.Agent.StatusPage;
using Orchestrator.Agent.StatusPage.Views;

namespace Orchestrator.Agent.Auth;

/// <summary>The way in for browsers: a form that takes a token and gives a session.</summary>
internal static class LoginEndpoints
{
    private const int LongestForm = 4096;

    public static void MapLogin(this IEndpointRouteBuilder routes)
    {
        routes.MapGet("/login", (PageFrame frame) => Page(frame, null)).OpenToAll().ExcludeFromDescription();
        routes.MapPost("/login", LogInAsync).OpenToAll().ExcludeFromDescription();
        routes.MapPost("/logout", LogOut).OpenToAll().ExcludeFromDescription();
    }

    private static async Task<IResult> LogInAsync(HttpContext context, PageFrame frame, Authenticator authenticator, BrowserSessions sessions, CancellationToken cancellationToken)
    {
        if (!Authenticator.SameOrigin(context.Request)) return Page(frame, "The form was sent from another site.", HttpStatusCode.Forbidden);
        if (!context.Request.HasFormContentType || context.Request.ContentLength is null or > LongestForm) return Page(frame, "The form is not complete.", HttpStatusCode.BadRequest);

        var form = await context.Request.ReadFormAsync(cancellationToken);
        switch (await authenticator.CheckAsync(context, form["token"].ToString().Trim(), cancellationToken))
        {
            case Identification.Known { Caller.Token: { } token }:
                context.Response.Cookies.Append(BrowserSessions.Cookie, sessions.Begin(token), Cookie(context, BrowserSessions.Length));
                return Results.Redirect("/");
            case Identification.TooMany { Wait: var wait }:
                return Page(frame, $"Too many wrong tokens. Try again in {Math.Ceiling(wait.TotalSeconds)} seconds.", HttpStatusCode.TooManyRequests);
            default:
                return Page(frame, "The token is unknown, revoked or expired.", HttpStatusCode.Unauthorized);
        }
    }

    private static IResult LogOut(HttpContext context, PageFrame frame, BrowserSessions sessions)
    {
        if (!Authenticator.SameOrigin(context.Request)) return Page(frame, "The form was sent from another site.", HttpStatusCode.Forbidden);
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

    private static IResult Page(PageFrame frame, string? problem, HttpStatusCode status = HttpStatusCode.OK) =>
        StatusPageEndpoints.Page(PageView.LogIn(frame, problem), (int)status);
}
