namespace Orchestrator.Agent.Hosting;

/// <summary>How far the daemon has come with its start, or its stop.</summary>
internal sealed class DaemonState(DateTimeOffset startedAt)
{
    private volatile bool _ready;

    public DateTimeOffset StartedAt { get; } = startedAt;

    /// <summary>Routes are laid, all listeners are open, and nobody has asked it to stop.</summary>
    public bool Ready
    {
        get => _ready;
        set => _ready = value;
    }
}
