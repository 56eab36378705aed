using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Orchestrator.Agent.Webhooks;

/// <summary>Checks that a delivery comes from somebody who knows the stack's secret. Compares in constant time.</summary>
public static class WebhookSignature
{
    /// <summary>How far the sender's clock and ours may be apart, either way.</summary>
    public static readonly TimeSpan ReplayWindow = TimeSpan.FromMinutes(5);

    public static SignatureCheck Check(WebhookSender sender, WebhookDelivery delivery, string secret, DateTimeOffset now) => sender switch
    {
        WebhookSender.Generic when delivery.Has("X-BasMalin-Signature") => Generic(delivery, secret, now),
        WebhookSender.Generic => Standard(delivery, secret, now),
        WebhookSender.GitHub => Body(delivery, delivery.Header("X-Hub-Signature-256"), "sha256=", secret),
        WebhookSender.Gitea => Body(delivery, delivery.Header("X-Forgejo-Signature") ?? delivery.Header("X-Gitea-Signature"), "", secret),

        // With a signing token GitLab signs; the plain token beside it is then not good enough.
        WebhookSender.GitLab when delivery.Has("webhook-signature") => Standard(delivery, secret, now),
        WebhookSender.GitLab => Plain(delivery.Header("X-Gitlab-Token"), secret),
        _ => Plain(Bearer(delivery.Header("Authorization")), secret),
    };

    /// <summary>What <c>X-BasMalin-Signature</c> is for this body at this time.</summary>
    public static string Sign(ReadOnlySpan<byte> body, string timestamp, byte[] key)
    {
        using var mac = IncrementalHash.CreateHMAC(HashAlgorithmName.SHA256, key);
        mac.AppendData(Encoding.UTF8.GetBytes(timestamp + "."));
        mac.AppendData(body);
        return "sha256=" + Convert.ToHexStringLower(mac.GetHashAndReset());
    }

    private static SignatureCheck Generic(WebhookDelivery delivery, string secret, DateTimeOffset now)
    {
        var timestamp = delivery.Header("X-BasMalin-Timestamp");
        var given = delivery.Header("X-BasMalin-Signature");
        if (timestamp is null || given is null) return SignatureCheck.Missing;

        var wanted = Sign(delivery.Body.Span, timestamp, WebhookSecret.Text(secret));
        return Same(given, wanted) ? InTime(timestamp, now) : SignatureCheck.Wrong;
    }

    private static SignatureCheck Standard(WebhookDelivery delivery, string secret, DateTimeOffset now)
    {
        var id = delivery.Header("webhook-id");
        var timestamp = delivery.Header("webhook-timestamp");
        var given = delivery.Header("webhook-signature");
        if (id is null || timestamp is null || given is null) return SignatureCheck.Missing;

        using var mac = IncrementalHash.CreateHMAC(HashAlgorithmName.SHA256, WebhookSecret.Decoded(secret));
        mac.AppendData(Encoding.UTF8.GetBytes($"{id}.{timestamp}."));
        mac.AppendData(delivery.Body.Span);
        var wanted = "v1," + Convert.ToBase64String(mac.GetHashAndReset());

        // While a sender changes its key it signs with both. No early way out, so that the time says nothing.
        var matches = given.Split(' ').Aggregate(false, (found, signature) => Same(signature, wanted) | found);
        return matches ? InTime(timestamp, now) : SignatureCheck.Wrong;
    }

    private static SignatureCheck Body(WebhookDelivery delivery, string? given, string prefix, string secret)
    {
        if (given is null) return SignatureCheck.Missing;

        var wanted = prefix + Convert.ToHexStringLower(HMACSHA256.HashData(WebhookSecret.Text(secret), delivery.Body.Span));
        return Same(given, wanted) ? SignatureCheck.Valid : SignatureCheck.Wrong;
    }

    private static SignatureCheck Plain(string? given, string secret) =>
        given is null ? SignatureCheck.Missing : Same(given, secret) ? SignatureCheck.Valid : SignatureCheck.Wrong;

    private static SignatureCheck InTime(string timestamp, DateTimeOffset now) =>
        long.TryParse(timestamp, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds)
        && Math.Abs(now.ToUnixTimeSeconds() - (decimal)seconds) <= (decimal)ReplayWindow.TotalSeconds
            ? SignatureCheck.Valid
            : SignatureCheck.Late;

    private static string? Bearer(string? authorization) =>
        authorization?.StartsWith("Bearer ", StringComparison.OrdinalIgnoreCase) == true ? authorization["Bearer ".Length..].Trim() : null;

    /// <summary>Hashes first, so that not even the length shows in the time it takes.</summary>
    private static bool Same(string given, string wanted) => CryptographicOperations.FixedTimeEquals(
        SHA256.HashData(Encoding.UTF8.GetBytes(given)),
        SHA256.HashData(Encoding.UTF8.GetBytes(wanted)));
}
