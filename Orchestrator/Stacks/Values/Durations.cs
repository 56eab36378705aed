using System.Buffers;
using System.Globalization;
using System.Text;

namespace Orchestrator.Stacks.Values;

/// <summary>Durations as Compose writes them: <c>500ms</c>, <c>10s</c>, <c>1m30s</c>, <c>1.5h</c>; <c>0</c> needs no unit.</summary>
internal static class Durations
{
    public const string Expected = "a duration such as 500ms, 10s or 1m30s";

    /// <summary>What no duration in a Compose file has a use for.</summary>
    private static readonly TimeSpan Longest = TimeSpan.FromDays(3650);

    private static readonly SearchValues<char> Digits = SearchValues.Create("0123456789.");

    public static bool TryParse(string text, out TimeSpan duration)
    {
        duration = TimeSpan.Zero;
        if (text == "0") return true;
        if (text.Length is 0 or > 64) return false;

        var ticks = 0m;
        var rest = text.AsSpan();
        while (rest.Length > 0)
        {
            var digits = rest.IndexOfAnyExcept(Digits);
            if (digits <= 0 || !decimal.TryParse(rest[..digits], NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var amount))
                return false;

            rest = rest[digits..];
            var letters = rest.IndexOfAny(Digits);
            var unit = letters < 0 ? rest : rest[..letters];
            if (TicksOf(unit) is not { } scale) return false;
            if (amount > Longest.Ticks / scale) return false;

            ticks += amount * scale;
            rest = rest[unit.Length..];
        }

        if (ticks > Longest.Ticks) return false;

        duration = TimeSpan.FromTicks((long)ticks);
        return true;
    }

    /// <summary>The form that <see cref="TryParse"/> reads back to the same duration.</summary>
    public static string Write(TimeSpan duration)
    {
        if (duration == TimeSpan.Zero) return "0s";

        var text = new StringBuilder();
        var hours = (long)duration.TotalHours;
        if (hours > 0) text.Append(CultureInfo.InvariantCulture, $"{hours}h");
        if (duration.Minutes > 0) text.Append(CultureInfo.InvariantCulture, $"{duration.Minutes}m");

        var seconds = (duration.Ticks % TimeSpan.TicksPerMinute) / (decimal)TimeSpan.TicksPerSecond;
        if (seconds >= 1) text.Append(CultureInfo.InvariantCulture, $"{seconds:0.#######}s");
        else if (seconds > 0) text.Append(CultureInfo.InvariantCulture, $"{seconds * 1000:0.####}ms");
        return text.ToString();
    }

    private static decimal? TicksOf(ReadOnlySpan<char> unit) => unit switch
    {
        "ns" => 0.01m,
        "us" or "µs" => TimeSpan.TicksPerMicrosecond,
        "ms" => TimeSpan.TicksPerMillisecond,
        "s" => TimeSpan.TicksPerSecond,
        "m" => TimeSpan.TicksPerMinute,
        "h" => TimeSpan.TicksPerHour,
        _ => null,
    };
}
