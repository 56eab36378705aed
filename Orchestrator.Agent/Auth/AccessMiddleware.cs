using System.Globalization;
using Orchestrator.Access;
using Orchestrator.Agent.Api;

namespace Orchestrator.Agent.Auth;

/// <summary>
/// Lets a request through to its endpoint when its caller may call it. Deny by default: an endpoint that says nothing is for
/// administrators, and what is no endpoint at all is not answered to strangers.
/// </summary>
internal sealed partial class AccessMiddleware(RequestDelegate next, Authenticator authenticator, AuditLog audit, ILogger<AccessMiddleware> logger)
{
    public async Task InvokeAsync(HttpContext context)
    {
        var endpoint = context.GetEndpoint();
        if (endpoint?.Metadata.GetMetadata<OpenAccess>() is not null)
        {
            await next(context);
            return;
        }

        switch (await authenticator.IdentifyAsync(context, context.RequestAborted))
        {
            case Identification.Known { Caller: var caller }:
                await LetThroughAsync(context, endpoint, caller);
                return;
            case Identification.TooMany { Wait: var wait }:
                context.Response.Headers.RetryAfter = Math.Ceiling(wait.TotalSeconds).ToString(CultureInfo.InvariantCulture);
                LogTurnedAway(context.Connection.RemoteIpAddress);
                await Problems.TooManyAttempts(wait).ExecuteAsync(context);
                return;
            case Identification.Anonymous when IsPage(context.Request):
                context.Response.Redirect("/login");
                return;
            case Identification.Anonymous:
                await RefuseAsync(context, "no token was presented");
                return;
            default:
                LogRefused(context.Request.Method, context.Request.Path, context.Connection.RemoteIpAddress);
                await RefuseAsync(context, "the token is unknown, revoked or expired");
                return;
        }
    }

    private async Task LetThroughAsync(HttpContext context, Endpoint? endpoint, Caller caller)
    {
        var requirement = endpoint?.Metadata.GetMetadata<ScopeRequirement>() ?? ScopeRequirement.Strictest;
        if (endpoint is not null && Refusal(requirement, caller, context.GetRouteValue("stack") as string) is { } refusal)
        {
            LogForbidden(caller.Name, context.Request.Method, context.Request.Path);
            if (!HttpMethods.IsGet(context.Request.Method))
                await audit.AppendAsync(caller.Name, $"{context.Request.Method} {context.Request.Path}", context.GetRouteValue("stack") as string, "denied: scope", context.RequestAborted);

            await Problems.Forbidden(refusal).ExecuteAsync(context);
            return;
        }

        context.Features.Set(caller);
        await next(context);
    }

    private static string? Refusal(ScopeRequirement requirement, Caller caller, string? stack)
    {
        if (caller.Scope < requirement.Scope) return $"this needs the scope {Word(requirement.Scope)}, and the token {caller.Name} has {Word(caller.Scope)}";
        if (requirement.Everywhere && !caller.Everywhere) return $"this needs a token for all stacks, and {caller.Name} is for {caller.Token?.Stack}";
        if (stack is not null && !caller.MayTouch(stack)) return $"the token {caller.Name} is not for the stack {stack}";
        return null;
    }

    private static string Word(TokenScope scope) => scope.ToString().ToLowerInvariant();

    private static Task RefuseAsync(HttpContext context, string detail)
    {
        context.Response.Headers.WWWAuthenticate = "Bearer";
        return Problems.Unauthorized(detail).ExecuteAsync(context);
    }

    /// <summary>Somebody looks with a browser: they are shown the way in.</summary>
    private static bool IsPage(HttpRequest request) =>
        HttpMethods.IsGet(request.Method)
        && !request.Path.StartsWithSegments("/api", StringComparison.Ordinal)
        && request.Headers.Accept.ToString().Contains("text/html", StringComparison.OrdinalIgnoreCase);

    [LoggerMessage(EventId = 8001, Level = LogLevel.Warning, Message = "Refused {Method} {Path} from {Address}: the token is unknown, revoked or expired")]
    private partial void LogRefused(string method, PathString path, System.Net.IPAddress? address);

    [LoggerMessage(EventId = 8002, Level = LogLevel.Warning, Message = "Turned {Address} away: too many wrong tokens")]
    private partial void LogTurnedAway(System.Net.IPAddress? address);

    [LoggerMessage(EventId = 8003, Level = LogLevel.Warning, Message = "Refused {Method} {Path} to {Caller}: not in its scope")]
    private partial void LogForbidden(string caller, string method, PathString path);
}
