namespace GardenApp.Redis;

/// <summary>What came of a Redis command: a value, or the reason why there is none. Redis is a help here, never a condition.</summary>
internal readonly record struct RedisAnswer<T>(bool Answered, T? Value, string? Failure)
{
    internal static RedisAnswer<T> Of(T value) => new(true, value, null);

    internal static RedisAnswer<T> Failed(string reason) => new(false, default, reason);
}
