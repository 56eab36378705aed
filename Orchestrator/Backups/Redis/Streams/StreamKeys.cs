using System.Globalization;
using System.Text.RegularExpressions;

namespace Orchestrator.Backups.Redis.Streams;

/// <summary>How the objects of a stream are called: <c>redis/HISTORY/…</c>, with offsets of twenty digits so that names sort as they follow.</summary>
internal static partial class StreamKeys
{
    private const string Folder = "redis/";

    /// <summary>Where the objects of a service lie in the stores.</summary>
    public static string Prefix(string stack, string service) => $"{BackupLayout.Stream(stack, service)}{Folder}";

    /// <summary>What whole keys of a history begin with from an offset on.</summary>
    public static string From(string stack, string service, RedisPosition at) =>
        string.Create(CultureInfo.InvariantCulture, $"{Prefix(stack, service)}{at.History}/{at.Offset:00000000000000000000}");

    /// <summary>Commands from behind the first offset up to the second.</summary>
    public static string Slice(string history, long start, long end) => string.Create(CultureInfo.InvariantCulture, $"{Folder}{history}/{start:00000000000000000000}-{end:00000000000000000000}.aof");

    /// <summary>The data as of the offset, and when that was.</summary>
    public static string Base(RedisPosition at, long seconds) => string.Create(CultureInfo.InvariantCulture, $"{Folder}{at.History}/{at.Offset:00000000000000000000}-at-{seconds}.rdb");

    /// <summary>The history goes on, from the offset of another one: a failover.</summary>
    public static string Continuation(RedisPosition before, string history) => string.Create(CultureInfo.InvariantCulture, $"{Folder}{history}/{before.Offset:00000000000000000000}-from-{before.History}");

    /// <returns>Null for what is none of ours.</returns>
    public static StreamObject? TryRead(string key)
    {
        if (Pattern().Match(key) is not { Success: true } match) return null;

        var at = new RedisPosition(match.Groups["history"].Value, Number(match.Groups["start"]));
        return match.Groups["end"].Success ? new StreamObject.Slice(key, at, Number(match.Groups["end"]))
            : match.Groups["time"].Success ? new StreamObject.Base(key, at, Number(match.Groups["time"]))
            : new StreamObject.Continuation(key, at, match.Groups["from"].Value);
    }

    private static long Number(Group digits) => long.Parse(digits.ValueSpan, CultureInfo.InvariantCulture);

    [GeneratedRegex(@"/redis/(?<history>[0-9a-f]{40})/(?<start>\d{20})-(?:(?<end>\d{20})\.aof|at-(?<time>\d+)\.rdb|from-(?<from>[0-9a-f]{40}))")]
    private static partial Regex Pattern();
}

/// <summary>Something of a stream that lies in the stores.</summary>
internal abstract record StreamObject(string Key, RedisPosition At)
{
    /// <param name="At">Behind which it begins.</param>
    public sealed record Slice(string Key, RedisPosition At, long End) : StreamObject(Key, At);

    /// <param name="Seconds">Unix time of it.</param>
    public sealed record Base(string Key, RedisPosition At, long Seconds) : StreamObject(Key, At);

    /// <param name="Before">The history that went on as this one at the offset.</param>
    public sealed record Continuation(string Key, RedisPosition At, string Before) : StreamObject(Key, At);
}
