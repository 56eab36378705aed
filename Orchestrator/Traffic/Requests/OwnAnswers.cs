using System.Buffers;
using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Http;

namespace Orchestrator.Traffic.Requests;

/// <summary>
/// Writes the proxy's own answers: the route's page or a small one for browsers, problem details (RFC 9457) for programs that ask for JSON, a line
/// of text for everybody else.
/// </summary>
internal static class OwnAnswers
{
    private const string Html = "text/html; charset=utf-8";

    private static readonly CompositeFormat Template = CompositeFormat.Parse("""
        <!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{0}</title>
        <body style="font:1.1rem system-ui;max-width:32rem;margin:20vh auto;padding:0 1rem"><h1>{0}</h1>
        <p>{1}</p><p style="color:#666;font-size:.8rem">{2}{3}</p></body></html>

        """);

    public static Task WriteAsync(EdgeExchange exchange, OwnAnswer answer)
    {
        var context = exchange.Context;
        var response = context.Response;
        response.StatusCode = answer.Status;
        response.Headers.XContentTypeOptions = "nosniff";
        response.Headers.CacheControl = "no-store";
        if (answer.RetryAfter is { } wait)
            response.Headers.RetryAfter = Math.Max(1, Math.Ceiling(wait.TotalSeconds)).ToString(CultureInfo.InvariantCulture);

        if (answer.Challenge is { } challenge)
            response.Headers.WWWAuthenticate = challenge;

        var (type, text) = Body(exchange, answer);
        response.ContentType = type;
        exchange.Target?.Rules?.Policy.Headers?.Apply(response, exchange.Client.IsHttps);
        response.ContentLength = Encoding.UTF8.GetByteCount(text);
        return HttpMethods.IsHead(context.Request.Method) ? Task.CompletedTask : response.WriteAsync(text, context.RequestAborted);
    }

    private static (string Type, string Text) Body(EdgeExchange exchange, OwnAnswer answer)
    {
        var accept = exchange.Context.Request.Headers.Accept.ToString();
        var html = accept.Contains("text/html", StringComparison.OrdinalIgnoreCase);
        if (!html && accept.Contains("json", StringComparison.OrdinalIgnoreCase))
            return ("application/problem+json", Problem(exchange, answer));
        if (PageOf(exchange, answer) is { } page)
            return (Html, page);
        if (!html)
            return ("text/plain; charset=utf-8", $"{answer.Detail}\n");

        var id = exchange.Client.RequestId;
        return (Html, string.Format(CultureInfo.InvariantCulture, Template, WebUtility.HtmlEncode(answer.Title), WebUtility.HtmlEncode(answer.Detail),
            answer.Status, id.Length == 0 ? "" : $" · {WebUtility.HtmlEncode(id)}"));
    }

    private static string? PageOf(EdgeExchange exchange, OwnAnswer answer)
    {
        if (exchange.Target?.Rules?.Policy.Pages is not { Count: > 0 } pages)
            return null;

        var status = answer.Status.ToString(CultureInfo.InvariantCulture);
        return answer.Page is { } name && pages.TryGetValue(name, out var page) ? page : pages.GetValueOrDefault(status);
    }

    private static string Problem(EdgeExchange exchange, OwnAnswer answer)
    {
        var buffer = new ArrayBufferWriter<byte>(256);
        using (var writer = new Utf8JsonWriter(buffer))
        {
            writer.WriteStartObject();
            writer.WriteString("type", "about:blank");
            writer.WriteString("title", answer.Title);
            writer.WriteNumber("status", answer.Status);
            writer.WriteString("detail", answer.Detail);
            if (exchange.Client.RequestId is { Length: > 0 } id)
                writer.WriteString("requestId", id);
            writer.WriteEndObject();
        }

        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }
}
