using Microsoft.Extensions.Logging;
using Polly;
using Polly.CircuitBreaker;
using Polly.Retry;
using Polly.Timeout;
using Prometheus;

namespace Orchestrator.Resilience;

/// <summary>
/// The ways in which BasMalin talks to what may not answer. From the outside in: repeat (where a repeat is safe), circuit breaker, count, time-out
/// of one attempt. What the caller calls off is neither repeated nor counted as a failure; a refusal is neither repeated nor held against the other side.
/// One instance per process: the breakers' memory is shared by all callers.
/// </summary>
public sealed partial class Pipelines
{
    private readonly PipelineOptions _options;
    private readonly TimeProvider _time;
    private readonly ResilienceMetrics _metrics;
    private readonly ILogger<Pipelines> _logger;

    /// <param name="classify">What an exception of a call means; <see cref="Docker.EngineFaults.Classify"/> knows all that this project calls.</param>
    /// <param name="metrics">Where the counters are made, normally <see cref="Metrics.DefaultFactory"/>.</param>
    public Pipelines(PipelineOptions options, Func<Exception, FaultKind> classify, TimeProvider time, IMetricFactory metrics, ILogger<Pipelines> logger)
    {
        ArgumentNullException.ThrowIfNull(options);
        (_options, _time, _metrics, _logger) = (options, time, new ResilienceMetrics(metrics), logger);
        FaultKind Kind(Exception exception) => exception is TimeoutRejectedException ? FaultKind.Outage : classify(exception);

        Engine = Build("engine", Kind, options.EngineTimeout, options.EngineRetries, options.EngineRetryDelay, breaker: true);
        EngineOnce = Build("engine-once", Kind, options.EngineTimeout, 0, TimeSpan.Zero, breaker: true);
        // No breaker: one registry that is down says nothing about the next one, and a pull is rare.
        Registry = Build("registry", Kind, System.Threading.Timeout.InfiniteTimeSpan, options.RegistryRetries, options.RegistryRetryDelay, breaker: false);
        WebhookOut = Build("webhook-out", Kind, options.WebhookTimeout, options.WebhookRetries, options.WebhookRetryDelay, breaker: false);
    }

    /// <summary>Set on a call's context it replaces the pipeline's own time-out of one attempt. A call that ran out of a time of its own is not repeated.</summary>
    public static ResiliencePropertyKey<TimeSpan> TimeoutKey { get; } = new("basmalin.timeout");

    /// <summary><c>engine</c>: reads, and verbs that may be said twice.</summary>
    public ResiliencePipeline Engine { get; }

    /// <summary><c>engine-once</c>: verbs that must not be repeated blindly (create, exec, build): never repeated here.</summary>
    public ResiliencePipeline EngineOnce { get; }

    /// <summary><c>registry</c>: pulls; no time-out of its own.</summary>
    public ResiliencePipeline Registry { get; }

    /// <summary><c>webhook-out</c>: deliveries to addresses that users gave.</summary>
    public ResiliencePipeline WebhookOut { get; }

    private ResiliencePipeline Build(string name, Func<Exception, FaultKind> classify, TimeSpan timeout, int retries, TimeSpan delay, bool breaker)
    {
        _metrics.Declare(name);
        var builder = new ResiliencePipelineBuilder { Name = name, TimeProvider = _time };
        if (retries > 0) builder.AddRetry(Retry(name, classify, retries, delay));
        if (breaker) builder.AddCircuitBreaker(Breaker(name, classify));
        return builder
            .AddStrategy(_ => new AttemptCount(name, _metrics, classify), new AttemptCount.Options())
            .AddTimeout(Timeout(name, timeout))
            .Build();
    }

    private RetryStrategyOptions Retry(string name, Func<Exception, FaultKind> classify, int retries, TimeSpan delay) => new()
    {
        MaxRetryAttempts = retries,
        Delay = delay,
        MaxDelay = _options.MaxRetryDelay,
        BackoffType = DelayBackoffType.Exponential,
        UseJitter = true,
        ShouldHandle = args => ValueTask.FromResult(
            args.Outcome.Exception is { } exception
            && exception is not (OperationCanceledException or BrokenCircuitException)
            && !RanOutOfItsOwnTime(exception, args.Context)
            && classify(exception) != FaultKind.Refusal),
        OnRetry = args =>
        {
            _metrics.Retried(name);
            if (args.Outcome.Exception is { } exception) LogRetry(name, args.AttemptNumber + 1, args.RetryDelay, exception.Message);
            return default;
        },
    };

    private CircuitBreakerStrategyOptions Breaker(string name, Func<Exception, FaultKind> classify) => new()
    {
        FailureRatio = 0.9,
        MinimumThroughput = _options.BreakerCalls,
        SamplingDuration = _options.BreakerWindow,
        BreakDuration = _options.BreakerPause,
        ShouldHandle = args => ValueTask.FromResult(
            args.Outcome.Exception is { } exception
            && exception is not OperationCanceledException
            && !RanOutOfItsOwnTime(exception, args.Context)
            && classify(exception) == FaultKind.Outage),
        OnOpened = args =>
        {
            _metrics.BreakerIsOpen(name, true);
            LogOpened(name, args.BreakDuration, args.Outcome.Exception?.Message ?? "");
            return default;
        },
        OnClosed = _ =>
        {
            _metrics.BreakerIsOpen(name, false);
            LogClosed(name);
            return default;
        },
    };

    private TimeoutStrategyOptions Timeout(string name, TimeSpan timeout) => new()
    {
        TimeoutGenerator = args => ValueTask.FromResult(args.Context.Properties.GetValue(TimeoutKey, timeout)),
        OnTimeout = _ =>
        {
            _metrics.TimedOut(name);
            return default;
        },
    };

    private static bool RanOutOfItsOwnTime(Exception exception, ResilienceContext context) =>
        exception is TimeoutRejectedException && context.Properties.TryGetValue(TimeoutKey, out _);

    [LoggerMessage(EventId = 1150, Level = LogLevel.Debug, Message = "{Pipeline}: attempt {Attempt} failed, again in {Delay}: {Reason}")]
    private partial void LogRetry(string pipeline, int attempt, TimeSpan delay, string reason);

    [LoggerMessage(EventId = 1151, Level = LogLevel.Warning, Message = "{Pipeline}: too many calls without an answer; calls are refused for {Pause}: {Reason}")]
    private partial void LogOpened(string pipeline, TimeSpan pause, string reason);

    [LoggerMessage(EventId = 1152, Level = LogLevel.Information, Message = "{Pipeline}: answers again")]
    private partial void LogClosed(string pipeline);
}
