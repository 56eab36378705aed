using System.Collections.Immutable;

namespace Orchestrator.Agent.Webhooks;

/// <summary>A request as it arrived; nothing of it is believed yet.</summary>
/// <param name="Headers">Names without regard to case; of a repeated header the first.</param>
/// <param name="Body">The raw bytes, which are what is signed.</param>
public sealed record WebhookDelivery(ImmutableDictionary<string, string> Headers, ReadOnlyMemory<byte> Body)
{
    /// <summary>
    /// Gitea and Forgejo also send GitHub's headers, and GitLab its id and timestamp with every delivery: the more special header decides.
    /// </summary>
    public WebhookSender? Sender =>
        Has("X-Gitea-Signature") || Has("X-Forgejo-Signature") || Has("X-Gitea-Event") || Has("X-Forgejo-Event") ? WebhookSender.Gitea
        : Has("X-Gitlab-Event") || Has("X-Gitlab-Token") ? WebhookSender.GitLab
        : Has("X-GitHub-Event") || Has("X-Hub-Signature-256") ? WebhookSender.GitHub
        : Has("X-BasMalin-Signature") ? WebhookSender.Generic
        : Header("Content-Type")?.StartsWith("application/vnd.docker.distribution.events.", StringComparison.OrdinalIgnoreCase) == true ? WebhookSender.Registry
        : Has("webhook-signature") ? WebhookSender.Generic
        : null;

    public string? Header(string name) => Headers.GetValueOrDefault(name);

    public bool Has(string name) => Headers.ContainsKey(name);

    public static ImmutableDictionary<string, string> HeadersOf(IEnumerable<KeyValuePair<string, string>> headers)
    {
        var builder = ImmutableDictionary.CreateBuilder<string, string>(StringComparer.OrdinalIgnoreCase);
        foreach (var (name, value) in headers) builder.TryAdd(name, value);
        return builder.ToImmutable();
    }
}
