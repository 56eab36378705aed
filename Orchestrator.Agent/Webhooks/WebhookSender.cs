namespace Orchestrator.Agent.Webhooks;

/// <summary>Whose form a delivery has.</summary>
public enum WebhookSender
{
    Generic,
    GitHub,
    GitLab,
    Gitea,

    /// <summary>Notifications of the distribution registry.</summary>
    Registry,
}
