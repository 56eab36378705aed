namespace Orchestrator.Resilience;

/// <summary>Numbers of the pipelines.</summary>
public sealed record PipelineOptions
{
    /// <summary>How long one ordinary call to the engine may take. Long verbs bring their own time.</summary>
    public TimeSpan EngineTimeout { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>How often a repeatable call to the engine is said again after it failed.</summary>
    public int EngineRetries { get; init; } = 4;

    /// <summary>The wait before the first repetition; it doubles, with jitter.</summary>
    public TimeSpan EngineRetryDelay { get; init; } = TimeSpan.FromMilliseconds(200);

    /// <summary>How often a pull is begun again. The engine keeps the layers that it has.</summary>
    public int RegistryRetries { get; init; } = 3;

    public TimeSpan RegistryRetryDelay { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>How long one delivery of an outgoing webhook may take.</summary>
    public TimeSpan WebhookTimeout { get; init; } = TimeSpan.FromSeconds(10);

    public int WebhookRetries { get; init; } = 3;

    public TimeSpan WebhookRetryDelay { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>No wait between two attempts is longer.</summary>
    public TimeSpan MaxRetryDelay { get; init; } = TimeSpan.FromSeconds(20);

    /// <summary>This many calls within <see cref="BreakerWindow"/>, nine of ten of them unanswered, open a breaker.</summary>
    public int BreakerCalls { get; init; } = 8;

    public TimeSpan BreakerWindow { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How long an open breaker refuses before it lets one call try.</summary>
    public TimeSpan BreakerPause { get; init; } = TimeSpan.FromSeconds(5);
}
