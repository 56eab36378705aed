using System.Globalization;

namespace Orchestrator.Backups.Redis;

/// <summary>A place in a history of commands.</summary>
/// <param name="History">The replication identifier: forty hexadecimal digits. Another one is another history, unless the server says that it goes on.</param>
/// <param name="Offset">Bytes of commands since the history's beginning, this last one included.</param>
public sealed record RedisPosition(string History, long Offset)
{
    /// <returns>Null when it is not <c>REPLID:OFFSET</c>.</returns>
    public static RedisPosition? TryParse(string text)
    {
        var parts = text.Split(':');
        return parts.Length == 2 && parts[0].Length == 40 && long.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out var offset)
            ? new(parts[0], offset)
            : null;
    }

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{History}:{Offset}");
}
