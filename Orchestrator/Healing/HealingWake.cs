using System.Threading.Channels;
using Orchestrator.Deployments;
using Orchestrator.Docker;

namespace Orchestrator.Healing;

/// <summary>What has healing look again at once: the engine's events, the end of a deployment, and whoever asks.</summary>
public sealed class HealingWake : IDisposable
{
    private readonly StackRoutesKeeper _keeper;
    private readonly NetworkWatch _networks;
    private readonly DeploymentQueue _queue;
    private readonly HealingBooks _books;
    private readonly TimeProvider _time;

    // One pending wake is enough: the loop looks at everything each time.
    private readonly Channel<bool> _wake = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
    private bool _networkLost;

    public HealingWake(StackRoutesKeeper keeper, NetworkWatch networks, DeploymentQueue queue, HealingBooks books, TimeProvider time)
    {
        (_keeper, _networks, _queue, _books, _time) = (keeper, networks, queue, books, time);
        _keeper.Happened += OnHappened;
        _keeper.Listening += OnLoss;
        _networks.Left += OnLoss;
        _queue.Ended += OnEnded;
    }

    /// <summary>Somebody has left a network since this was asked last, or may have, or what was done about it came to nothing.</summary>
    public bool TakeNetworkLoss() => Interlocked.Exchange(ref _networkLost, false);

    /// <summary>It is to be looked at again, with the next round.</summary>
    public void KeepNetworkLoss() => Volatile.Write(ref _networkLost, true);

    public void Raise() => _wake.Writer.TryWrite(true);

    /// <summary>Until somebody wakes it, but no longer than that.</summary>
    public async Task WaitAsync(TimeSpan limit, CancellationToken cancellationToken)
    {
        using var alarm = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        await Task.WhenAny(Task.Delay(limit, _time, alarm.Token), _wake.Reader.ReadAsync(alarm.Token).AsTask());
        await alarm.CancelAsync();
        cancellationToken.ThrowIfCancellationRequested();
    }

    public void Dispose()
    {
        _keeper.Happened -= OnHappened;
        _keeper.Listening -= OnLoss;
        _networks.Left -= OnLoss;
        _queue.Ended -= OnEnded;
    }

    /// <summary>Somebody has left a network, or may have while the engine was not heard.</summary>
    private void OnLoss()
    {
        KeepNetworkLoss();
        Raise();
    }

    private void OnHappened(EngineEvent happened)
    {
        _books.Hear(happened);
        if (happened.Action is "die" or "destroy" or "start" or "pause" or "unpause" || happened.Action.StartsWith("health_status", StringComparison.Ordinal)) Raise();
    }

    private void OnEnded(Deployment ended)
    {
        _books.Clear(ended.Request.Stack);
        Raise();
    }
}
