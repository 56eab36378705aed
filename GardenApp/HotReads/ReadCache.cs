using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using GardenApp.Redis;

namespace GardenApp.HotReads;

/// <summary>
/// Redis in front of the reads that everybody does. Every key carries a generation; a write moves to the next one, so that a reader
/// who was late stores its old answer where nobody looks any more. Entries live for <see cref="Life"/> at most, which bounds what a
/// write can leave behind when it could not reach Redis.
/// </summary>
internal sealed class ReadCache
{
    internal static readonly TimeSpan Life = TimeSpan.FromSeconds(30);

    private const string Generation = "garden:reads:generation";
    private const string LookUp = "local g = redis.call('GET', KEYS[1]) or '0'; return { g, redis.call('GET', 'garden:reads:' .. g .. ':' .. ARGV[1]) }";

    private readonly GardenRedis _redis;
    private volatile bool _owesInvalidation;

    public ReadCache(GardenRedis redis) => _redis = redis;

    /// <summary>The cached JSON for this key, or what <paramref name="read"/> gives; a null from it is passed on and not stored.</summary>
    internal async Task<CachedRead> ReadAsync<T>(string key, JsonTypeInfo<T> type, Func<Task<T?>> read, CancellationToken cancellationToken) where T : class
    {
        if (!_redis.IsConfigured || (_owesInvalidation && !await InvalidateAsync(cancellationToken))) return new CachedRead(await SerializeAsync(type, read), "bypass");

        var found = await _redis.TryAsync(database => database.ScriptEvaluateAsync(LookUp, [Generation], [key]), cancellationToken);
        if (!found.Answered || found.Value is not { } pair) return new CachedRead(await SerializeAsync(type, read), "bypass");
        if ((byte[]?)pair[1] is { } json) return new CachedRead(json, "hit");

        var fresh = await SerializeAsync(type, read);
        if (fresh is not null)
            await _redis.TryAsync(database => database.StringSetAsync($"garden:reads:{pair[0]}:{key}", fresh, Life), cancellationToken);
        return new CachedRead(fresh, "miss");
    }

    /// <summary>
    /// To be called after every write has been committed. When Redis cannot be told, this process reads past the cache until it can;
    /// other replicas may serve the old answer for the rest of its life.
    /// </summary>
    internal async Task<bool> InvalidateAsync(CancellationToken cancellationToken)
    {
        if (!_redis.IsConfigured) return true;
        // Owed first: a caller that leaves now must not leave the old answer in place.
        _owesInvalidation = true;
        var told = await _redis.TryAsync(database => database.StringIncrementAsync(Generation), cancellationToken);
        if (told.Answered) _owesInvalidation = false;
        return told.Answered;
    }

    private static async Task<byte[]?> SerializeAsync<T>(JsonTypeInfo<T> type, Func<Task<T?>> read) where T : class =>
        await read() is { } value ? JsonSerializer.SerializeToUtf8Bytes(value, type) : null;
}
