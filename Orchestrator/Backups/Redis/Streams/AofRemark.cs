using System.Globalization;
using System.Text;

namespace Orchestrator.Backups.Redis.Streams;

/// <summary>
/// The lines that are written between the commands: the time, in the words of Redis's own <c>redis-check-aof --truncate-to-timestamp</c>, and where in the
/// history the next command begins, since what was dropped (PING, REPLCONF) counts there, too. Never within a transaction.
/// </summary>
internal static class AofRemark
{
    private const string Time = "#TS:";
    private const string Offset = "#OFFSET:";

    public static byte[] Write(long seconds, long offset) => Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{Time}{seconds}\r\n{Offset}{offset}\r\n"));

    public static byte[] WriteOffset(long offset) => Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{Offset}{offset}\r\n"));

    /// <returns>Unix seconds; null when the remark says something else.</returns>
    public static long? TimeOf(string remark) => Number(remark, Time);

    public static long? OffsetOf(string remark) => Number(remark, Offset);

    private static long? Number(string remark, string prefix) =>
        remark.StartsWith(prefix, StringComparison.Ordinal) && long.TryParse(remark.AsSpan(prefix.Length), NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;
}
