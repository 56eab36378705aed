namespace Orchestrator.Traffic;

/// <summary>A service's requests are held until somebody resumes it, or until the pause is over by itself.</summary>
internal sealed class ServicePause(TimeSpan limit, TimeProvider time)
{
    private readonly TaskCompletionSource _resumed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly long _began = time.GetTimestamp();

    /// <summary>When it ends by itself.</summary>
    public DateTimeOffset Until { get; } = time.GetUtcNow() + limit;

    public TimeSpan Left => _resumed.Task.IsCompleted ? TimeSpan.Zero : limit - time.GetElapsedTime(_began);

    /// <summary>Completes when it is resumed; not when its time is over.</summary>
    public Task Resumed => _resumed.Task;

    public void Resume() => _resumed.TrySetResult();
}
