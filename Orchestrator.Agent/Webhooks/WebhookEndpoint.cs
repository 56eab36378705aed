using Orchestrator.Agent.Api;
using Orchestrator.Agent.Api.Contracts;
using Orchestrator.Journal;

namespace Orchestrator.Agent.Webhooks;

/// <summary><c>POST /hooks/{stack}</c>, on the edge and on the admin listener.</summary>
internal sealed partial class WebhookEndpoint(WebhookReceiver receiver, long largestBody, ILogger<WebhookEndpoint> logger)
{
    private const string Prefix = "/hooks/";
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    /// <summary>The edge asks before it looks for a route.</summary>
    public async ValueTask<bool> InterceptAsync(HttpContext context)
    {
        if (context.Request.Path.Value is not { } path || !path.StartsWith(Prefix, StringComparison.Ordinal)) return false;

        await AnswerAsync(context, path[Prefix.Length..]);
        return true;
    }

    public async Task AnswerAsync(HttpContext context, string stack)
    {
        var reply = await ReceiveAsync(context, stack);
        context.Response.StatusCode = reply.Status;
        context.Response.Headers.CacheControl = "no-store";
        await context.Response.WriteAsJsonAsync(reply, ApiJson.Default.WebhookReply, "application/json", context.RequestAborted);
    }

    private async Task<WebhookReply> ReceiveAsync(HttpContext context, string stack)
    {
        // A sender that dribbles its body does not hold a connection for ever.
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted);
        patience.CancelAfter(Patience);
        try
        {
            if (await RequestBody.ReadAsync(context, largestBody, patience.Token) is not { } body) return WebhookReply.TooLarge(largestBody);

            var headers = WebhookDelivery.HeadersOf(context.Request.Headers.Select(header => KeyValuePair.Create(header.Key, header.Value.ToString())));

            // Once the delivery is whole, the sender's leaving does not undo it.
            return await receiver.ReceiveAsync(stack, new WebhookDelivery(headers, body), CancellationToken.None);
        }
        catch (JournalException exception)
        {
            LogNotWritten(exception);
            return WebhookReply.Unavailable();
        }
        catch (Exception exception) when (exception is OperationCanceledException or IOException or BadHttpRequestException)
        {
            return WebhookReply.Malformed("the body did not arrive");
        }
    }

    [LoggerMessage(EventId = 8111, Level = LogLevel.Error, Message = "A webhook could not be written down; its sender was told to send it again")]
    private partial void LogNotWritten(Exception exception);
}
