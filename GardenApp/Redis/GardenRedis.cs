using GardenApp.Hosting;
using Polly;
using Polly.CircuitBreaker;
using Polly.Timeout;
using StackExchange.Redis;

namespace GardenApp.Redis;

/// <summary>
/// The way to Redis, which may be dead at any time. A command gets a quarter of a second; after a few failures the circuit opens
/// and nobody waits at all, except one command every few seconds that looks whether Redis is back.
/// </summary>
internal sealed partial class GardenRedis : IAsyncDisposable
{
    private static readonly TimeSpan CommandTimeout = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan BreakDuration = TimeSpan.FromSeconds(5);

    private readonly ConfigurationOptions? _options;
    private readonly ILogger<GardenRedis> _logger;
    private readonly ResiliencePipeline _pipeline;
    private readonly Task<ConnectionMultiplexer>? _connection;

    public GardenRedis(GardenSettings settings, ILogger<GardenRedis> logger, TimeProvider time)
    {
        _options = settings.Redis;
        _logger = logger;
        // Begun now and awaited by the first command, so that the first probe does not pay for it. It comes back even without a server.
        _connection = _options is null ? null : ConnectionMultiplexer.ConnectAsync(_options);
        _pipeline = new ResiliencePipelineBuilder { TimeProvider = time }
            .AddCircuitBreaker(new CircuitBreakerStrategyOptions
            {
                FailureRatio = 0.5,
                MinimumThroughput = 3,
                SamplingDuration = TimeSpan.FromSeconds(10),
                BreakDuration = BreakDuration,
                OnOpened = _ => { LogAway(BreakDuration.TotalSeconds); return default; },
                OnClosed = _ => { LogBack(); return default; },
            })
            .AddTimeout(CommandTimeout)
            .Build();
    }

    internal bool IsConfigured => _options is not null;

    /// <summary>Runs one command or script. Never throws for a Redis that is away, slow or refuses.</summary>
    internal async Task<RedisAnswer<T>> TryAsync<T>(Func<IDatabase, Task<T>> command, CancellationToken cancellationToken)
    {
        if (_connection is null) return RedisAnswer<T>.Failed("REDIS_URL is not set");
        try
        {
            return RedisAnswer<T>.Of(await _pipeline.ExecuteAsync(async token =>
            {
                var connection = await _connection.WaitAsync(token);
                // The client takes no token, so the wait ends and the command is left to its own timeout.
                return await command(connection.GetDatabase()).WaitAsync(token);
            }, cancellationToken));
        }
        catch (Exception exception) when (exception is RedisException or TimeoutRejectedException or TimeoutException)
        {
            return RedisAnswer<T>.Failed(exception is TimeoutRejectedException ? $"no answer within {CommandTimeout.TotalMilliseconds:0} ms" : Short(exception));
        }
        catch (BrokenCircuitException)
        {
            return RedisAnswer<T>.Failed($"it failed just now; trying again every {BreakDuration.TotalSeconds:0} s");
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_connection is { IsCompletedSuccessfully: true }) await (await _connection).DisposeAsync();
    }

    // The client's messages go on with its counters and configuration after the first sentence.
    private static string Short(Exception exception) => exception.Message.Split(['\n', ';', ','], 2)[0];

    [LoggerMessage(EventId = 1910, Level = LogLevel.Warning, Message = "Redis does not answer; going on without it, next try in {Seconds} s")]
    private partial void LogAway(double seconds);

    [LoggerMessage(EventId = 1911, Level = LogLevel.Information, Message = "Redis answers again")]
    private partial void LogBack();
}
