namespace Orchestrator.Traffic;

/// <summary>A service's requests are held until somebody resumes it, or until the pause is over by itself.</summary>
internal sealed class ServicePause(TimeSpan limit, TimeProvider time)
{
    private readonly long _began = time.GetTimestamp();
    private volatile bool _over;

    /// <summary>When it ends by itself.</summary>
    public DateTimeOffset Until { get; } = time.GetUtcNow() + limit;

    public TimeSpan Left => _over ? TimeSpan.Zero : limit - time.GetElapsedTime(_began);

    /// <summary>Raised when it is resumed; not when its time is over.</summary>
    public Signal Resumed { get; } = new();

    public void Resume()
    {
        _over = true;
        Resumed.Raise();
    }
}
