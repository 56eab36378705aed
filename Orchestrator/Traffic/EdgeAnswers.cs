using System.Globalization;
using Microsoft.AspNetCore.Http;

namespace Orchestrator.Traffic;

/// <summary>What the proxy says when no application does.</summary>
internal static class EdgeAnswers
{
    private const string MaintenancePage = """
        <!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Maintenance</title>
        <body style="font:1.1rem system-ui;max-width:32rem;margin:20vh auto;padding:0 1rem"><h1>Back soon</h1>
        <p>This application is being maintained. Please try again in a few minutes.</p></body></html>
        """;

    public static Task NoRouteAsync(HttpContext context) =>
        TextAsync(context, StatusCodes.Status404NotFound, $"No route for the host '{context.Request.Host.Value}' and this path.");

    public static Task UnknownPreviewAsync(HttpContext context) =>
        TextAsync(context, StatusCodes.Status404NotFound, "No preview has this token.");

    public static Task NotAllowedAsync(HttpContext context) =>
        TextAsync(context, StatusCodes.Status405MethodNotAllowed, "This is not a forward proxy.");

    public static Task MaintenanceAsync(HttpContext context, TimeSpan retryAfter)
    {
        SetRetryAfter(context, retryAfter);
        return WriteAsync(context, StatusCodes.Status503ServiceUnavailable, "text/html; charset=utf-8", MaintenancePage);
    }

    public static Task UnavailableAsync(HttpContext context, TimeSpan retryAfter)
    {
        SetRetryAfter(context, retryAfter);
        return TextAsync(context, StatusCodes.Status503ServiceUnavailable, "The application is not available at the moment. Please try again.");
    }

    /// <summary>For whoever asks after the health of a service that is paused or in maintenance: it is so on purpose, and must not be taken out for it.</summary>
    public static Task PausedHealthAsync(HttpContext context) => TextAsync(context, StatusCodes.Status200OK, "Paused on purpose.");

    public static Task BadGatewayAsync(HttpContext context) =>
        TextAsync(context, StatusCodes.Status502BadGateway, "The application did not give a complete answer.");

    public static Task TimeoutAsync(HttpContext context) =>
        TextAsync(context, StatusCodes.Status504GatewayTimeout, "The application did not answer in time.");

    private static void SetRetryAfter(HttpContext context, TimeSpan retryAfter) =>
        context.Response.Headers.RetryAfter = Math.Ceiling(retryAfter.TotalSeconds).ToString(CultureInfo.InvariantCulture);

    private static Task TextAsync(HttpContext context, int status, string text) => WriteAsync(context, status, "text/plain; charset=utf-8", text + "\n");

    private static Task WriteAsync(HttpContext context, int status, string contentType, string text)
    {
        var response = context.Response;
        response.StatusCode = status;
        response.ContentType = contentType;
        response.Headers.XContentTypeOptions = "nosniff";
        response.Headers.CacheControl = "no-store";
        return HttpMethods.IsHead(context.Request.Method) ? Task.CompletedTask : response.WriteAsync(text, context.RequestAborted);
    }
}
