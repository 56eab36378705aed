using System.Globalization;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Orchestrator.Resilience;
using Polly;

namespace Orchestrator.Notifications;

/// <summary>
/// Posts notifications as JSON to an address that the operator gave. Signed as our own webhooks are:
/// <c>X-BasMalin-Signature: sha256=HMAC(secret, "TIMESTAMP.BODY")</c>.
/// </summary>
/// <param name="secret">Null: unsigned.</param>
/// <param name="subscription">What it wants to hear of.</param>
public sealed class WebhookChannel(Uri address, string? secret, Subscription subscription, HttpClient http, Pipelines pipelines, TimeProvider time) : INotificationChannel
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web);

    // Without path and query: they often hold what authorizes the sender.
    public string Name => address.Authority;

    public bool Wants(Notification notification) => subscription.Wants(notification);

    public async Task<string?> SendAsync(Notification notification, CancellationToken cancellationToken)
    {
        var body = JsonSerializer.SerializeToUtf8Bytes(notification, Json);
        try
        {
            await pipelines.WebhookOut.ExecuteAsync(async token =>
            {
                using var request = Request(notification, body);
                using var response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, token);
                response.EnsureSuccessStatusCode();
            }, cancellationToken);
            return null;
        }
        catch (Exception exception) when (exception is HttpRequestException or ExecutionRejectedException || (exception is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            return exception.Message;
        }
    }

    private HttpRequestMessage Request(Notification notification, byte[] body)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, address) { Content = new ByteArrayContent(body) };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        var timestamp = time.GetUtcNow().ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture);
        request.Headers.Add("X-BasMalin-Event", notification.Event);
        request.Headers.Add("X-BasMalin-Delivery", notification.Id.ToString());
        request.Headers.Add("X-BasMalin-Timestamp", timestamp);
        if (secret is not null)
        {
            byte[] signed = [.. Encoding.UTF8.GetBytes(timestamp + "."), .. body];
            request.Headers.Add("X-BasMalin-Signature", $"sha256={Convert.ToHexStringLower(HMACSHA256.HashData(Encoding.UTF8.GetBytes(secret), signed))}");
        }

        return request;
    }
}
