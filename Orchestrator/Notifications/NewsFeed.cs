using Orchestrator.Backups.Sets;
using Orchestrator.Certificates;
using Orchestrator.Deployments;
using Orchestrator.Healing;

namespace Orchestrator.Notifications;

/// <summary>All that happens that somebody may want to be told of, in the words of the contract.</summary>
public sealed class NewsFeed : IDisposable
{
    private readonly DeploymentQueue _deployments;
    private readonly CertificateAlarm _certificates;
    private readonly BackupAlerts _backups;
    private readonly HealingAlarm _healing;
    private readonly TimeProvider _time;

    public NewsFeed(DeploymentQueue deployments, CertificateAlarm certificates, BackupAlerts backups, HealingAlarm healing, TimeProvider time)
    {
        (_deployments, _certificates, _backups, _healing, _time) = (deployments, certificates, backups, healing, time);
        _deployments.Ended += OnEnded;
        _certificates.Raised += OnRaised;
        _backups.Raised += OnRaised;
        _healing.Raised += OnRaised;
    }

    /// <summary>Must not throw, and not wait.</summary>
    public event Action<Notification>? Told;

    public void Dispose()
    {
        _deployments.Ended -= OnEnded;
        _certificates.Raised -= OnRaised;
        _backups.Raised -= OnRaised;
        _healing.Raised -= OnRaised;
    }

    private void OnEnded(Deployment deployment) => Told?.Invoke(Notification.Of(deployment, Guid.CreateVersion7(), _time.GetUtcNow()));

    private void OnRaised(CertificateNews news) => Told?.Invoke(Notification.Of(news, Guid.CreateVersion7(), _time.GetUtcNow()));

    private void OnRaised(BackupAlert alert) => Told?.Invoke(Notification.Of(alert, Guid.CreateVersion7()));

    private void OnRaised(HealingNews news) => Told?.Invoke(Notification.Of(news, Guid.CreateVersion7()));
}
