using Microsoft.AspNetCore.Http.HttpResults;

namespace GardenApp.Sessions;

/// <summary><c>/api/sessions</c>: open one, look at one's own, end it.</summary>
internal static class SessionEndpoints
{
    internal const string Path = "/api/sessions";

    internal static void MapSessions(this IEndpointRouteBuilder routes)
    {
        var sessions = routes.MapGroup(Path);
        sessions.MapPost("", CreateAsync);
        sessions.MapGet("/current", Current);
        sessions.MapDelete("/current", DeleteAsync);
    }

    private static async Task<Results<Created<Session>, ValidationProblem, ProblemHttpResult>> CreateAsync(
        SessionRequest request, HttpContext context, SessionStore sessions, CancellationToken cancellationToken)
    {
        if (request.Problems() is { } problems) return TypedResults.ValidationProblem(problems);
        if (await sessions.CreateAsync(request.User ?? "", cancellationToken) is not { Value: { Token: { } token } session }) return Away();
        context.Response.Cookies.Append(SessionMiddleware.Cookie, token, new CookieOptions
        {
            HttpOnly = true,
            SameSite = SameSiteMode.Lax,
            Secure = context.Request.IsHttps,
            Expires = session.ExpiresAt,
            IsEssential = true,
        });
        return TypedResults.Created($"{Path}/current", session);
    }

    private static Results<Ok<Session>, ProblemHttpResult> Current(HttpContext context) =>
        context.Features.Get<Session>() is { } session
            ? TypedResults.Ok(session)
            : TypedResults.Problem("No session: POST /api/sessions opens one.", statusCode: StatusCodes.Status401Unauthorized);

    private static async Task<Results<NoContent, ProblemHttpResult>> DeleteAsync(HttpContext context, SessionStore sessions, CancellationToken cancellationToken)
    {
        if (SessionMiddleware.TokenOf(context.Request) is not { } token)
            return TypedResults.Problem("No session to end.", statusCode: StatusCodes.Status401Unauthorized);
        if (!(await sessions.DeleteAsync(token, cancellationToken)).Answered) return Away();
        context.Response.Cookies.Delete(SessionMiddleware.Cookie);
        return TypedResults.NoContent();
    }

    private static ProblemHttpResult Away() =>
        TypedResults.Problem("Sessions are in Redis, and Redis is away. Everything else works.", statusCode: StatusCodes.Status503ServiceUnavailable);
}
