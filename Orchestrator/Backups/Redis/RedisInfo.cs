using System.Collections.Immutable;
using System.Globalization;

namespace Orchestrator.Backups.Redis;

/// <summary>What Redis says of itself by <c>INFO</c>.</summary>
internal sealed class RedisInfo
{
    private readonly ImmutableDictionary<string, string> _fields;

    private RedisInfo(ImmutableDictionary<string, string> fields) => _fields = fields;

    public string Version => _fields.GetValueOrDefault("redis_version", "");

    /// <summary>0 when it does not say.</summary>
    public int Major => int.TryParse(Version.Split('.')[0], NumberStyles.None, CultureInfo.InvariantCulture, out var major) ? major : 0;

    public string this[string field] => _fields.GetValueOrDefault(field, "");

    /// <returns>Null when it does not say.</returns>
    public long? Number(string field) => long.TryParse(this[field], NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var value) ? value : null;

    public static async Task<RedisInfo> AskAsync(RedisConnection connection, CancellationToken cancellationToken) =>
        Parse((await connection.AskAsync(["INFO"], cancellationToken)).Text ?? "");

    /// <returns>Without fields where the user may not ask.</returns>
    public static async Task<RedisInfo> TryAskAsync(RedisConnection connection, CancellationToken cancellationToken) =>
        Parse((await connection.TryAskAsync(["INFO"], cancellationToken)).Text ?? "");

    private static RedisInfo Parse(string text) => new(
        text.Split('\n').Select(line => line.TrimEnd('\r').Split(':', 2)).Where(pair => pair.Length == 2 && pair[0].Length > 0 && pair[0][0] != '#')
            .GroupBy(pair => pair[0]).ToImmutableDictionary(group => group.Key, group => group.First()[1]));
}
