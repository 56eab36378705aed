namespace GardenApp.Sessions;

/// <summary>
/// Finds out who makes the request, when it carries a token. Without Redis nobody can be told apart: reading goes on as a guest,
/// changing is refused, because a guest's right to change is not what the token's owner meant.
/// </summary>
internal sealed class SessionMiddleware
{
    internal const string Cookie = "garden_session";

    private readonly RequestDelegate _next;
    private readonly SessionStore _sessions;

    public SessionMiddleware(RequestDelegate next, SessionStore sessions)
    {
        _next = next;
        _sessions = sessions;
    }

    public async Task InvokeAsync(HttpContext context)
    {
        if (TokenOf(context.Request) is { } token)
        {
            var found = await _sessions.FindAsync(token, context.RequestAborted);
            if (found.Value is { } session)
            {
                context.Features.Set(new CurrentUser(session.User));
                context.Features.Set(session);
            }
            else if (Changes(context.Request))
            {
                var refusal = found.Answered
                    ? TypedResults.Problem("The session has ended; open a new one.", statusCode: StatusCodes.Status401Unauthorized)
                    : TypedResults.Problem($"Sessions are in Redis, and Redis is away: {found.Failure}.", statusCode: StatusCodes.Status503ServiceUnavailable);
                await refusal.ExecuteAsync(context);
                return;
            }
        }
        await _next(context);
    }

    // Opening a session is how one gets out of an ended one, whose cookie the browser still sends.
    private static bool Changes(HttpRequest request) =>
        !HttpMethods.IsGet(request.Method) && !HttpMethods.IsHead(request.Method) && request.Path != SessionEndpoints.Path;

    internal static string? TokenOf(HttpRequest request) =>
        request.Headers.Authorization.ToString() is { } header && header.StartsWith("Bearer ", StringComparison.OrdinalIgnoreCase)
            ? header["Bearer ".Length..].Trim()
            : request.Cookies[Cookie];
}
