using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using GardenApp.Redis;
using StackExchange.Redis;

namespace GardenApp.Sessions;

/// <summary>
/// Sessions in Redis, shared by all replicas. Redis holds the hash of a token, never the token: who can read Redis cannot be
/// somebody else. A sorted set by expiry beside them makes them countable.
/// </summary>
internal sealed class SessionStore
{
    internal static readonly TimeSpan Life = TimeSpan.FromHours(12);

    private const string Index = "garden:sessions";

    // Renewed and read in one step: between two a session could expire and come back without its fields.
    private const string Touch = """
        local fields = redis.call('HMGET', KEYS[1], 'user', 'created')
        if not fields[1] then return nil end
        redis.call('EXPIRE', KEYS[1], ARGV[1])
        redis.call('ZADD', KEYS[2], ARGV[2], ARGV[3])
        return fields
        """;

    private readonly GardenRedis _redis;
    private readonly TimeProvider _time;

    public SessionStore(GardenRedis redis, TimeProvider time)
    {
        _redis = redis;
        _time = time;
    }

    internal async Task<RedisAnswer<Session>> CreateAsync(string user, CancellationToken cancellationToken)
    {
        var token = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(32));
        var hash = HashOf(token);
        var now = _time.GetUtcNow();
        var expires = now + Life;
        return await _redis.TryAsync(async database =>
        {
            var transaction = database.CreateTransaction();
            var queued = Task.WhenAll(
                transaction.HashSetAsync(Key(hash), [new HashEntry("user", user), new HashEntry("created", now.ToString("O", CultureInfo.InvariantCulture))]),
                transaction.KeyExpireAsync(Key(hash), Life),
                transaction.SortedSetAddAsync(Index, hash, expires.ToUnixTimeSeconds()),
                transaction.SortedSetRemoveRangeByScoreAsync(Index, double.NegativeInfinity, now.ToUnixTimeSeconds()));
            await transaction.ExecuteAsync();
            await queued;
            return new Session(user, now, expires, token);
        }, cancellationToken);
    }

    /// <summary>The session of this token, renewed; an answer without a value when there is none.</summary>
    internal async Task<RedisAnswer<Session?>> FindAsync(string token, CancellationToken cancellationToken)
    {
        var hash = HashOf(token);
        var expires = _time.GetUtcNow() + Life;
        return await _redis.TryAsync(async database =>
        {
            var fields = await database.ScriptEvaluateAsync(Touch, [Key(hash), Index], [(long)Life.TotalSeconds, expires.ToUnixTimeSeconds(), hash]);
            return fields.IsNull
                ? null
                : new Session((string?)fields[0] ?? "", DateTimeOffset.Parse((string?)fields[1] ?? "", CultureInfo.InvariantCulture), expires, Token: null);
        }, cancellationToken);
    }

    internal async Task<RedisAnswer<bool>> DeleteAsync(string token, CancellationToken cancellationToken)
    {
        var hash = HashOf(token);
        return await _redis.TryAsync(async database =>
        {
            await database.SortedSetRemoveAsync(Index, hash);
            return await database.KeyDeleteAsync(Key(hash));
        }, cancellationToken);
    }

    internal Task<RedisAnswer<long>> CountAsync(CancellationToken cancellationToken) =>
        _redis.TryAsync(database => database.SortedSetLengthAsync(Index, _time.GetUtcNow().ToUnixTimeSeconds(), double.PositiveInfinity), cancellationToken);

    private static string HashOf(string token) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(token)));

    private static RedisKey Key(string hash) => $"garden:session:{hash}";
}
