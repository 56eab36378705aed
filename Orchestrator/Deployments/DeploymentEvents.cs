using System.Runtime.CompilerServices;
using System.Threading.Channels;

namespace Orchestrator.Deployments;

/// <summary>Something that happened in a deployment.</summary>
/// <param name="Step">The step that it is in; null before the first and after the last.</param>
/// <param name="Message">For people; null when only the deployment's content changed.</param>
public sealed record DeploymentEvent(Deployment Deployment, StepKind? Step, string? Message, DateTimeOffset At);

/// <summary>Tells whoever watches. A watcher that does not keep up loses the oldest messages, never the deployment its time.</summary>
public sealed class DeploymentEvents
{
    private readonly Lock _gate = new();
    private readonly List<Channel<DeploymentEvent>> _watchers = [];

    public void Publish(DeploymentEvent happened)
    {
        lock (_gate)
        {
            foreach (var watcher in _watchers) watcher.Writer.TryWrite(happened);
        }
    }

    /// <summary>Everything from now on; begun when it returns, so that nothing is missed between a look at the journal and the watch.</summary>
    public Subscription Subscribe()
    {
        var channel = Channel.CreateBounded<DeploymentEvent>(new BoundedChannelOptions(256) { FullMode = BoundedChannelFullMode.DropOldest, SingleReader = true });
        lock (_gate) _watchers.Add(channel);
        return new(this, channel);
    }

    private void Remove(Channel<DeploymentEvent> channel)
    {
        lock (_gate) _watchers.Remove(channel);
    }

    public sealed class Subscription(DeploymentEvents owner, Channel<DeploymentEvent> channel) : IDisposable
    {
        public async IAsyncEnumerable<DeploymentEvent> ReadAsync([EnumeratorCancellation] CancellationToken cancellationToken)
        {
            await foreach (var happened in channel.Reader.ReadAllAsync(cancellationToken)) yield return happened;
        }

        public void Dispose() => owner.Remove(channel);
    }
}
