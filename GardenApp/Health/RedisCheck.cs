using GardenApp.Redis;

namespace GardenApp.Health;

/// <summary>Without Redis everything but sessions works, only slower: degraded, never unhealthy.</summary>
internal sealed class RedisCheck
{
    private const string Name = "redis";

    private readonly GardenRedis _redis;

    public RedisCheck(GardenRedis redis) => _redis = redis;

    internal async Task<HealthCheckResult> RunAsync(CancellationToken cancellationToken)
    {
        if (!_redis.IsConfigured) return HealthCheckResult.Healthy(Name, "not configured: no cache, no sessions");
        var ping = await _redis.TryAsync(database => database.PingAsync(), cancellationToken);
        return ping.Answered
            ? HealthCheckResult.Healthy(Name, $"answers in {ping.Value.TotalMilliseconds:0.0} ms")
            : HealthCheckResult.Degraded(Name, $"away: {ping.Failure}; reads go to the database, sessions are refused");
    }
}
