using Orchestrator.Agent.Api.Contracts;

namespace Orchestrator.Agent.Cli.Output;

/// <summary>How to set a webhook up at the sender.</summary>
internal static class WebhookView
{
    public static void Write(TextWriter output, WebhookResponse webhook)
    {
        output.WriteLine($"""
            {webhook.Stack}:
              address  https://YOUR-HOST{webhook.Path}   (any host that leads to the edge; also on the admin listener)
              secret   {webhook.Secret ?? (webhook.HasSecret ? "is set and not shown again; --rotate makes a new one" : "none yet")}{(webhook.Rotating ? " (the one before is still good; --retire ends it)" : "")}
              branch   {webhook.Branch ?? "every branch"}
            """);
        foreach (var (service, template) in webhook.Images) output.WriteLine($"  image    {service} = {template}");
        if (webhook.Images.IsEmpty) output.WriteLine("  image    none: say which with --image SERVICE=registry.example/app:{commit}, or send images in the body (generic form)");
        output.WriteLine("""

            At the sender:
              GitHub          Settings, Webhooks: payload URL, content type application/json, secret; events: push, workflow runs or packages
              GitLab          Settings, Webhooks: URL, signing token = secret (older versions: secret token); push, tag or pipeline events
              Gitea, Forgejo  Settings, Webhooks: target URL, POST, application/json, secret; push events
              registry        notifications.endpoints: url, headers: { Authorization: [Bearer SECRET] }
              your own        POST {"images": {"app": "…"}, "version": "…", "commit": "…"} with Content-Type: application/json,
                              X-BasMalin-Delivery: ID, X-BasMalin-Timestamp: UNIX-SECONDS,
                              X-BasMalin-Signature: sha256=HMAC-SHA256(secret, "TIMESTAMP.BODY") in hexadecimal
            """);
    }
}
