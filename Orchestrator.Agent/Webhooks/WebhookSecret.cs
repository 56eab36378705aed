using System.Security.Cryptography;
using System.Text;

namespace Orchestrator.Agent.Webhooks;

/// <summary>
/// What a stack and its senders share. Written <c>whsec_</c> and base64, as Standard Webhooks (GitLab's signing tokens) want it; the
/// others take the text as it is.
/// </summary>
public static class WebhookSecret
{
    private const string Prefix = "whsec_";

    public static string Create() => Prefix + Convert.ToBase64String(RandomNumberGenerator.GetBytes(32));

    /// <summary>The key of senders that use the text itself.</summary>
    public static byte[] Text(string secret) => Encoding.UTF8.GetBytes(secret);

    /// <summary>The key of Standard Webhooks.</summary>
    public static byte[] Decoded(string secret)
    {
        if (!secret.StartsWith(Prefix, StringComparison.Ordinal)) return Text(secret);

        var buffer = new byte[secret.Length];
        return Convert.TryFromBase64String(secret[Prefix.Length..], buffer, out var written) ? buffer[..written] : Text(secret);
    }
}
