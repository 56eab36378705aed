using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Orchestrator.Agent.Webhooks;

namespace Orchestrator.Tests.Agent.Webhooks;

/// <summary>Deliveries as their senders sign them, written down here a second time so that the code is not checked against itself.</summary>
internal static class Signed
{
    public const string Secret = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
    public static readonly DateTimeOffset Now = new(2026, 11, 22, 12, 0, 0, TimeSpan.Zero);

    public static WebhookDelivery GitHub(string name, string body, string secret = Secret, string id = "72d3162e-cc78-11e3-81ab-4c9367dc0958") => Make(
        body,
        ("Content-Type", "application/json"),
        ("X-GitHub-Event", name),
        ("X-GitHub-Delivery", id),
        ("X-Hub-Signature-256", $"sha256={Hex(Encoding.UTF8.GetBytes(secret), body)}"));

    /// <summary>With the headers of GitHub that Gitea sends for the sake of others.</summary>
    public static WebhookDelivery Gitea(string name, string body, string secret = Secret, string id = "f6266f16-1bf3-46a5-9ea4-602e06ead473") => Make(
        body,
        ("Content-Type", "application/json"),
        ("X-Gitea-Event", name),
        ("X-GitHub-Event", name),
        ("X-Gitea-Delivery", id),
        ("X-Gitea-Signature", Hex(Encoding.UTF8.GetBytes(secret), body)),
        ("X-Hub-Signature-256", $"sha256={Hex(Encoding.UTF8.GetBytes(secret), body)}"));

    /// <summary>With the plain token. GitLab sends id and timestamp all the same.</summary>
    public static WebhookDelivery GitLab(string name, string body, string token = Secret, string id = "13792a34-cac6-4fda-95a8-c58e00a3954e") => Make(
        body,
        ("Content-Type", "application/json"),
        ("X-Gitlab-Event", name),
        ("X-Gitlab-Event-UUID", id),
        ("webhook-id", id),
        ("webhook-timestamp", Seconds(Now)),
        ("X-Gitlab-Token", token));

    public static WebhookDelivery GitLabSigned(string name, string body, DateTimeOffset? at = null, string secret = Secret, string id = "msg_1") => Make(
        body,
        ("Content-Type", "application/json"),
        ("X-Gitlab-Event", name),
        ("webhook-id", id),
        ("webhook-timestamp", Seconds(at ?? Now)),
        ("webhook-signature", "v1," + Convert.ToBase64String(HMACSHA256.HashData(Convert.FromBase64String(secret["whsec_".Length..]), Encoding.UTF8.GetBytes($"{id}.{Seconds(at ?? Now)}.{body}")))));

    public static WebhookDelivery Registry(string body, string token = Secret) => Make(
        body,
        ("Content-Type", "application/vnd.docker.distribution.events.v1+json"),
        ("Authorization", $"Bearer {token}"));

    public static WebhookDelivery Generic(string body, DateTimeOffset? at = null, string secret = Secret, string id = "1") => Make(
        body,
        ("Content-Type", "application/json"),
        ("X-BasMalin-Delivery", id),
        ("X-BasMalin-Timestamp", Seconds(at ?? Now)),
        ("X-BasMalin-Signature", $"sha256={Hex(Encoding.UTF8.GetBytes(secret), $"{Seconds(at ?? Now)}.{body}")}"));

    public static WebhookDelivery Make(string body, params (string Name, string Value)[] headers) =>
        new(WebhookDelivery.HeadersOf(headers.Select(header => KeyValuePair.Create(header.Name, header.Value))), Encoding.UTF8.GetBytes(body));

    public static string Seconds(DateTimeOffset at) => at.ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture);

    private static string Hex(byte[] key, string text) => Convert.ToHexStringLower(HMACSHA256.HashData(key, Encoding.UTF8.GetBytes(text)));
}
